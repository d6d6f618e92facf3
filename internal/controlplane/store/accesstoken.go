package store

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// PutAccessToken stores a token's record. It replaces the record of t.Revision, or
// creates one if that is 0, and returns the token with its new revision. The record
// of a revoked token expires after Retention. ErrConflict, ErrUnavailable.
func (s *Store) PutAccessToken(ctx context.Context, t record.AccessToken) (record.AccessToken, error) {
	var ttl time.Duration
	if !t.RevokedAt.IsZero() {
		ttl = s.opts.Retention
	}
	var err error
	t.Revision, err = s.put(ctx, tokenPrefix+t.ID, t, t.Revision, ttl)
	return t, err
}

// AccessToken returns a token's record. ErrNotFound, ErrUnavailable.
func (s *Store) AccessToken(ctx context.Context, id string) (record.AccessToken, error) {
	t, at, err := get[record.AccessToken](ctx, s, s.state, tokenPrefix, id)
	t.Revision = at.revision
	return t, err
}

// WatchAccessTokens is Watch for the records of tokens. A record that has expired
// is not reported. handle gets an error for a damaged one, and the
// watch goes on.
func (s *Store) WatchAccessTokens(ctx context.Context, caughtUp chan<- struct{}, handle func(record.AccessToken, error)) error {
	r := reading{stream: stateStream, subject: tokenPrefix + ">", ahead: readAhead{watchMessages, watchBytes}}
	return s.read(ctx, r, func(pending uint64) {
		if pending == 0 && caughtUp != nil {
			close(caughtUp)
			caughtUp = nil
		}
	}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		if len(msg.Data()) == 0 { // the marker of a record that was removed
			return true
		}
		t, err := decode[record.AccessToken](msg.Data(), "reading token "+strings.TrimPrefix(msg.Subject(), tokenPrefix))
		t.Revision = meta.Sequence.Stream
		handle(t, err)
		return true
	})
}
