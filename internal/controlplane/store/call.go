package store

import (
	"context"
	"errors"
	"time"
)

const (
	// callTimeout bounds one request to the store, whatever the deadline of its
	// caller. It is well above a slow disk's sync and a cluster's change of leader.
	callTimeout = 5 * time.Second
	// endingTimeout bounds a request once Ending was called.
	endingTimeout = time.Second
	// writeTimeout bounds a write that no longer depends on its caller, retries of
	// its compare-and-set included.
	writeTimeout = 20 * time.Second
)

// bound returns the context of one request to the store: it ends with ctx, after
// callTimeout, a second after Ending, and with the embedded server, which forgets
// the request when it is started again. A store that has let a request wait for that
// second is not asked again. The caller must call cancel.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, expire := context.WithTimeout(ctx, callTimeout)
	ctx, fail := context.WithCancelCause(ctx)
	ending := context.AfterFunc(s.ending, func() {
		pause(ctx, endingTimeout)
		if ctx.Err() == nil {
			s.giveUp()
		}
	})
	dead := context.AfterFunc(s.dead, func() { fail(errEnding) })
	restarted := func() bool { return true }
	if s.embedded != nil {
		restarted = context.AfterFunc(s.embedded.present(), func() { fail(errRestarting) })
	}
	return ctx, func() {
		ending()
		dead()
		restarted()
		fail(nil)
		expire()
	}
}

// errEnding is the cause of a request that ended because the process ends.
var errEnding = errors.New("the store is being closed")

// Ending bounds every request to a second, those in flight included, and once one
// has failed in this way all of them fail: the process is ending, and must not wait
// for a store that does not respond.
func (s *Store) Ending() { s.beginEnding() }

// Detach returns a context for a write that must be completed even if the caller
// of ctx leaves. It ends after 20 s. The caller must call cancel.
func Detach(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	return context.WithTimeoutCause(context.WithoutCancel(ctx), writeTimeout, ErrUnavailable)
}
