package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// sessionKeyName is the last token of the subject of the key of web sessions.
const sessionKeyName = "session-key"

// endedSession begins the last token of the subject of a session that was ended.
const endedSession = "ended-"

// sessionKeySize is the size of that key, in bytes.
const sessionKeySize = 32

// sessionKey is the stored record of the key.
type sessionKey struct {
	Key []byte `json:"key"`
}

// SessionKey returns the secret with which every replica authenticates the cookies of the
// web page, 32 bytes. The first call of all replicas creates it. It is in no backup, so a
// restored store has another one, and everybody signs in again. ErrUnavailable, ErrFull.
func (s *Store) SessionKey(ctx context.Context) ([]byte, error) {
	stored, _, err := get[sessionKey](ctx, s, s.state, webPrefix, sessionKeyName)
	if errors.Is(err, ErrNotFound) {
		made := sessionKey{Key: make([]byte, sessionKeySize)}
		_, _ = rand.Read(made.Key) // never fails: see crypto/rand
		if _, err = s.put(ctx, webPrefix+sessionKeyName, made, 0, 0); err == nil {
			return made.Key, nil
		}
		if errors.Is(err, ErrConflict) { // another replica has made one
			stored, _, err = get[sessionKey](ctx, s, s.state, webPrefix, sessionKeyName)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(stored.Key) != sessionKeySize:
		return nil, fmt.Errorf("reading the key of web sessions: it has %d bytes, want %d", len(stored.Key), sessionKeySize)
	}
	return stored.Key, nil
}

// EndSession records that a web session has ended, and keeps that for left. Idempotent.
// ErrUnavailable, ErrFull.
func (s *Store) EndSession(ctx context.Context, id string, left time.Duration) error {
	_, err := s.put(ctx, webPrefix+endedSession+id, struct{}{}, 0, max(left, minRetention))
	if errors.Is(err, ErrConflict) {
		return nil // it has ended before
	}
	return err
}

// SessionEnded reports whether a web session was ended. ErrUnavailable.
func (s *Store) SessionEnded(ctx context.Context, id string) (bool, error) {
	_, _, err := get[struct{}](ctx, s, s.state, webPrefix, endedSession+id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
