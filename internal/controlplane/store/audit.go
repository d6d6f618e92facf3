package store

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	auditStream = "SWITCHYARD_AUDIT"
	auditPrefix = "switchyard.audit."

	// AuditRetention is how long the audit log is kept.
	AuditRetention = 90 * 24 * time.Hour
	// MaxAuditMessages is the most messages of each kind of the audit log; the oldest
	// are discarded beyond that. A flood of one kind discards nothing of another.
	MaxAuditMessages = 10_000
	// auditShare is the part of the limit of the store, in percent, that the audit
	// log may use.
	auditShare = 1
)

// AuditMessage is a stored message of the audit log.
type AuditMessage struct {
	// Position is the message's sequence in the log.
	Position uint64
	StoredAt time.Time
	Data     []byte
}

// openAudit creates the stream of the audit log, or updates its settings.
func (s *Store) openAudit(ctx context.Context) (jetstream.Stream, error) {
	return s.openStream(ctx, auditStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: who changed what"
		c.Subjects = []string{auditPrefix + ">"}
		c.MaxMsgsPerSubject = MaxAuditMessages
		s.bounded(c, AuditRetention, auditShare)
	})
}

// AppendAudit stores a message of the audit log. kind is one word, by which the log
// is bounded. ErrTooLarge, ErrUnavailable.
func (s *Store) AppendAudit(ctx context.Context, kind string, data []byte) error {
	msg := nats.NewMsg(auditPrefix + kind)
	msg.Data = data
	_, err := s.write(ctx, msg, "storing the audit log")
	return err
}

// AuditAt returns the first message of the audit log at a position or after it.
// ErrNotFound at the end of the log, ErrUnavailable.
func (s *Store) AuditAt(ctx context.Context, position uint64) (AuditMessage, error) {
	var msg *jetstream.RawStreamMsg
	err := s.ask(ctx, kind{stream: auditStream}, func(ctx context.Context) (err error) {
		msg, err = s.audit.GetMsg(ctx, max(position, 1), jetstream.WithGetMsgSubject(auditPrefix+">"))
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return AuditMessage{}, wrap(ctx, err, "reading the audit log")
	}
	return AuditMessage{Position: msg.Sequence, StoredAt: msg.Time, Data: msg.Data}, nil
}

// AuditEnds returns the positions of the first and the last message of the audit log; last
// is before first if there is none. ErrUnavailable.
func (s *Store) AuditEnds(ctx context.Context) (first, last uint64, err error) {
	info, err := s.info(ctx, s.audit, "reading the audit log")
	if err != nil {
		return 0, 0, err
	}
	return info.State.FirstSeq, info.State.LastSeq, nil
}

// AuditSince returns a position of the audit log before which every message was
// stored before since. ErrUnavailable.
func (s *Store) AuditSince(ctx context.Context, since time.Time) (uint64, error) {
	first, last, err := s.AuditEnds(ctx)
	if err != nil || first > last {
		return first, err
	}
	var failed error
	n := sort.Search(int(last-first)+1, func(i int) bool { //nolint:gosec // the length of the log is bounded
		msg, err := s.AuditAt(ctx, first+uint64(i)) //nolint:gosec // not negative
		if err != nil && !errors.Is(err, ErrNotFound) {
			failed = err
		}
		return err != nil || !msg.StoredAt.Before(since)
	})
	return first + uint64(n), failed //nolint:gosec // not negative
}
