package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

const (
	// maxPendingWrites bounds the writes of a restore that are not acknowledged yet.
	maxPendingWrites = 256
	// restoreProgress is how many records are restored between two lines of the log.
	restoreProgress = 100_000
)

// Message is one stored record, in the store's own form.
type Message struct {
	Subject string
	// Header has the headers that are restored with the record.
	Header   map[string]string
	Data     []byte
	StoredAt time.Time
}

// restoredHeaders are the headers of a record that mean the same in another store.
func restoredHeaders() []string {
	return []string{jetstream.MsgTTLHeader, summaryHeader, chunkHeader}
}

// errRead ends the reading of a stream that has been read to its end.
var errRead = errors.New("the stream was read to its end")

// Backup calls handle with every stored record: those that were acknowledged before
// the call, in their present or a later form, and some that are stored meanwhile.
// Records that depend on each other need not be of one moment: what follows from a
// change is derived again after the restore. It ends with the error of handle.
// ErrUnavailable.
func (s *Store) Backup(ctx context.Context, handle func(Message) error) error {
	// Jobs come before their logs: a log without a job expires, and a job that ended
	// has its whole log.
	for _, part := range []struct {
		stream jetstream.Stream
		name   string
		grows  bool // is only appended to, so what was stored at the start is enough
	}{
		{s.state, stateStream, false},
		{s.data, dataStream, false},
		{s.logs, logStream, true},
		{s.audit, auditStream, true},
	} {
		info, err := s.info(ctx, part.stream, "reading the size of stream "+part.name)
		if err != nil {
			return err
		}
		if info.State.Msgs == 0 {
			continue
		}
		last := info.State.LastSeq
		if !part.grows {
			last = 0
		}
		if err := s.backupStream(ctx, part.name, last, handle); err != nil {
			return err
		}
	}
	return nil
}

// backupStream calls handle with the records of a stream, up to the sequence last if
// it is not 0, and else until none is left.
func (s *Store) backupStream(ctx context.Context, stream string, last uint64, handle func(Message) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var failed error
	r := reading{stream: stream, ahead: readAhead{watchMessages, watchBytes}}
	err := s.read(ctx, r, func(pending uint64) {
		if pending == 0 {
			cancel(errRead)
		}
	}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		if len(msg.Data()) > 0 && !strings.HasPrefix(msg.Subject(), webPrefix) { // not a marker, a probe, or a secret
			m := Message{Subject: msg.Subject(), Header: map[string]string{}, Data: msg.Data(), StoredAt: meta.Timestamp}
			for _, name := range restoredHeaders() {
				if value := msg.Headers().Get(name); value != "" {
					m.Header[name] = value
				}
			}
			if failed = handle(m); failed != nil {
				return false
			}
		}
		return last == 0 || meta.Sequence.Stream < last
	})
	switch {
	case failed != nil:
		return failed
	case errors.Is(err, errRead):
		return nil
	}
	return err
}

// Restore stores the records that next returns, until it returns false, in an empty
// store. A record with a time to live is kept for what is left of it, and is
// left out if nothing is. If Restore fails, Open refuses the store.
func Restore(ctx context.Context, opts Options, next func() (Message, bool, error)) (restored int, err error) {
	opts.restoring = true
	s, err := Open(ctx, opts)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if restored, err = s.restore(ctx, next); err != nil {
		return restored, err
	}
	s.restored = true
	if _, err := s.openStreams(ctx); err != nil { // which removes the mark
		return restored, err
	}
	return restored, nil
}

// mustBeEmpty returns an error if a stream exists that has records. It is called before
// anything is marked as restoring.
func (s *Store) mustBeEmpty(ctx context.Context) error {
	for _, name := range []string{stateStream, logStream, dataStream, auditStream} {
		stream, err := s.js.Stream(ctx, name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return wrap(ctx, err, "looking up stream "+name)
		}
		if records := stream.CachedInfo().State.Msgs; records > 0 {
			return fmt.Errorf("the store at %s is not empty: it has %d records in %s; restore into an empty one; "+
				"if an earlier restore was interrupted, remove what it has left", s.address(), records, name)
		}
	}
	return nil
}

func (s *Store) restore(ctx context.Context, next func() (Message, bool, error)) (restored int, err error) {
	js, err := jetstream.New(s.nc, jetstream.WithPublishAsyncMaxPending(maxPendingWrites), jetstream.WithDefaultTimeout(callTimeout))
	if err != nil {
		return 0, fmt.Errorf("using the store at %s: %w", s.address(), err)
	}
	var pending []jetstream.PubAckFuture
	for more := true; more; {
		var m Message
		if m, more, err = next(); err != nil {
			return restored, err
		}
		if more && m.left() {
			ack, err := js.PublishMsgAsync(m.msg())
			if err != nil {
				return restored, wrap(ctx, err, "storing "+m.Subject)
			}
			pending = append(pending, ack)
			restored++
			if restored%restoreProgress == 0 {
				s.opts.Logger.Info("restoring", zap.Int("records", restored))
			}
		}
		if len(pending) < maxPendingWrites && more {
			continue
		}
		for _, ack := range pending {
			select {
			case <-ack.Ok():
			case err := <-ack.Err():
				return restored, wrap(ctx, err, "storing "+ack.Msg().Subject)
			case <-ctx.Done():
				return restored, fmt.Errorf("restoring: %w", context.Cause(ctx))
			}
		}
		pending = pending[:0]
	}
	return restored, nil
}

// left reports whether a record has not expired, and sets its time to live to what is
// left of it.
func (m *Message) left() bool {
	text, ok := m.Header[jetstream.MsgTTLHeader]
	if !ok {
		return true
	}
	ttl, err := time.ParseDuration(text)
	if err != nil {
		delete(m.Header, jetstream.MsgTTLHeader) // it is kept too long rather than not at all
		return true
	}
	ttl -= time.Since(m.StoredAt)
	m.Header[jetstream.MsgTTLHeader] = ttl.Truncate(time.Second).String()
	return ttl >= minRetention
}

func (m *Message) msg() *nats.Msg {
	msg := nats.NewMsg(m.Subject)
	msg.Data = m.Data
	for name, value := range m.Header {
		msg.Header.Set(name, value)
	}
	return msg
}

// JobOf returns the job of a message. It reports false for a message of another kind.
func JobOf(m Message) (record.Job, bool, error) {
	id, ok := strings.CutPrefix(m.Subject, jobPrefix)
	if !ok {
		return record.Job{}, false, nil
	}
	job, err := decode[record.Job](m.Data, "reading job "+id)
	return job, true, err
}

// MessageOf returns the message of a job. It expires after retention if the job has
// ended.
func MessageOf(job record.Job, retention time.Duration) (Message, error) {
	if !job.State.Final() {
		retention = 0
	}
	msg, err := JobMessage(job, retention)
	if err != nil {
		return Message{}, err
	}
	m := Message{Subject: msg.Subject, Header: map[string]string{}, Data: msg.Data, StoredAt: time.Now()}
	for name := range msg.Header {
		m.Header[name] = msg.Header.Get(name)
	}
	return m, nil
}
