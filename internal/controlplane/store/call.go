package store

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// callTimeout bounds one request to the store, whatever the deadline of its
	// caller. It is well above a slow disk's sync and a cluster's change of leader.
	callTimeout = 4 * time.Second
	// askTimeout bounds one attempt to read an external store within callTimeout: a request
	// that a cluster receives while it elects a leader is not answered.
	askTimeout = 1200 * time.Millisecond
	// retryWait is the wait before a request is repeated for which there was no server, and
	// retryAttempts how often a write is, within callTimeout.
	retryWait     = 100 * time.Millisecond
	retryAttempts = int(callTimeout / retryWait)
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
	ctx, expire := context.WithTimeout(ctx, timeoutOf(ctx))
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

// timeoutOf returns how long a request may take: callTimeout, or what is left of Within.
func timeoutOf(ctx context.Context) time.Duration {
	if until, ok := ctx.Value(withinKey{}).(time.Time); ok {
		return min(callTimeout, time.Until(until))
	}
	return callTimeout
}

// request makes a request of a kind, within the bound of one request, and notes whether it
// was answered. It fails at once where failFast does. It returns the error of do, or an
// OutageError.
func (s *Store) request(ctx context.Context, k kind, do func(context.Context) error) error {
	return s.noted(ctx, k, func() error {
		ctx, cancel := s.bound(ctx)
		defer cancel()
		if err := s.awaitConnection(ctx); err != nil {
			return err
		}
		return do(ctx)
	})
}

// noted is request without its bound, and without waiting for a connection.
func (s *Store) noted(ctx context.Context, k kind, do func() error) error {
	if err := s.failFast(ctx, k); err != nil {
		return err
	}
	began := time.Now()
	err := do()
	s.outages.note(k, began, err)
	return err
}

// ask is request for what only reads a stream, or may be repeated for another reason: it is
// repeated until it is answered. An embedded server answers each request, but not before its
// disk does, so it is asked once.
func (s *Store) ask(ctx context.Context, k kind, do func(context.Context) error) error {
	if s.embedded != nil {
		return s.request(ctx, k, do)
	}
	return s.request(ctx, k, func(ctx context.Context) error {
		for {
			attempt, stop := context.WithTimeout(ctx, askTimeout)
			err := do(attempt)
			stop()
			if err == nil || ctx.Err() != nil || !unanswered(err) {
				return err
			}
			pause(ctx, retryWait)
			if err := s.failFast(ctx, k); err != nil {
				return err
			}
			if err := s.awaitConnection(ctx); err != nil {
				return err
			}
		}
	})
}

// failFast returns an OutageError if requests of a kind are known to get no response, and ctx
// is of Prompt. A request with another context waits for its time.
func (s *Store) failFast(ctx context.Context, k kind) error {
	if err := s.outages.check(k); err != nil && isPrompt(ctx) {
		return err
	}
	return nil
}

// awaitConnection returns once there is a connection, or the context's error.
func (s *Store) awaitConnection(ctx context.Context) error {
	for !s.nc.IsConnected() {
		if s.nc.IsClosed() {
			return nats.ErrConnectionClosed
		}
		pause(ctx, connectionPoll)
		if ctx.Err() != nil {
			return errNoConnection
		}
	}
	return nil
}

// connectionPoll is the time between two looks at a connection that is lost.
const connectionPoll = 10 * time.Millisecond

// errNoConnection is the error of a request for which there was no connection in time.
var errNoConnection = errors.New("there is no connection to it")

// UserTimeout is what Within gets for a call of a user, who has an error within five
// seconds.
const UserTimeout = 4500 * time.Millisecond

// withinKey is the key of the value of Within.
type withinKey struct{}

// Within returns a context in which all requests to the store together end after d, also
// those that do not end with their caller.
func Within(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, withinKey{}, time.Now().Add(d))
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
