package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

const (
	// rereadAfter is for how long what the store said of a session is used again.
	rereadAfter = 10 * time.Second
	// maxKnown bounds the sessions that are known; beyond it all are read again.
	maxKnown = 4096
	// idSize is the size of a session's ID, in bytes.
	idSize = 16
)

// idOf returns the ID of the session of a cookie's signed part, from which the cookie
// cannot be made.
func idOf(signed []byte) string {
	sum := sha256.Sum256(signed)
	return hex.EncodeToString(sum[:idSize])
}

// ended are the sessions that their readers have ended. Its methods may be called
// concurrently.
type ended struct {
	store Store
	mu    sync.Mutex
	known map[string]known // by the ID of the session
}

// known is what is known of a session: that it has ended, or when the store said that it
// has not.
type known struct {
	ended bool
	at    time.Time
}

// note notes what is known of a session.
func (e *ended) note(id string, k known) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.known == nil || len(e.known) >= maxKnown && e.known[id] == (known{}) {
		e.known = map[string]known{}
	}
	e.known[id] = k
}

// has reports whether a session has ended. A session of which the store cannot be asked goes
// on, as far as is known: an outage of the store is when people look at the page. But one whose
// reader does not wait for the answer has ended: what a request changes is done even if its
// reader leaves, and so a copy of a cookie could be used in spite of the store's answer.
func (e *ended) has(ctx context.Context, id string, now time.Time) bool {
	e.mu.Lock()
	k := e.known[id]
	e.mu.Unlock()
	if k.ended || now.Sub(k.at) < rereadAfter {
		return k.ended
	}
	over, err := e.store.SessionEnded(ctx, id)
	if err != nil {
		return ctx.Err() != nil
	}
	e.note(id, known{over, now})
	return over
}

// end ends a session, here also if its error is that of the store, which keeps it for left.
func (e *ended) end(ctx context.Context, id string, left time.Duration) error {
	e.note(id, known{ended: true})
	return e.store.EndSession(ctx, id, left) //nolint:wrapcheck // it says what was attempted
}
