package store

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// checkInterval is how long a write takes before the embedded server is asked
// whether it still writes, and between two such questions.
const checkInterval = 250 * time.Millisecond

// writes remembers which streams cannot be written. Its methods may be called
// concurrently.
type writes struct {
	failed chan struct{} // has an element if a write has failed since the keeper looked

	mu     sync.Mutex
	errs   map[string]error     // of the last write of a stream, if it failed
	stored map[string]time.Time // of the last write of a stream that did not
}

func newWrites() writes {
	return writes{failed: make(chan struct{}, 1), errs: map[string]error{}, stored: map[string]time.Time{}}
}

// done records the result of a write. An error that concerns the message only, such
// as a conflict, shows that the stream works.
func (w *writes) done(stream string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil && (isFull(err) || isBroken(err)) {
		w.errs[stream] = err
		select {
		case w.failed <- struct{}{}:
		default:
		}
		return
	}
	if err == nil {
		delete(w.errs, stream)
		w.stored[stream] = time.Now()
	}
}

// broken returns the streams whose last write failed.
func (w *writes) broken() (streams []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for stream := range w.errs {
		streams = append(streams, stream)
	}
	return streams
}

// storedWithin reports whether a stream was written within d.
func (w *writes) storedWithin(stream string, d time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.stored[stream]) < d
}

// write is publish with an error that says what was attempted.
func (s *Store) write(ctx context.Context, msg *nats.Msg, doing string, opts ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ack, err := s.publish(ctx, msg, opts...)
	if err != nil {
		return nil, wrap(ctx, err, doing)
	}
	return ack, nil
}

// publish stores a message and records the result. It returns the error of NATS, or
// that of the embedded server's files.
func (s *Store) publish(ctx context.Context, msg *nats.Msg, opts ...jetstream.PublishOpt) (ack *jetstream.PubAck, err error) {
	err = s.attempt(ctx, streamOf(msg.Subject), func(ctx context.Context) error {
		opts = append(opts, jetstream.WithRetryAttempts(retryAttempts), jetstream.WithRetryWait(retryWait))
		ack, err = s.js.PublishMsg(ctx, msg, opts...)
		return err //nolint:wrapcheck // wrap adds what was attempted
	})
	return ack, err //nolint:wrapcheck // wrap adds what was attempted
}

// attempt calls write with the context of one request, and records the result for the
// stream. It returns the error of write, or that of the embedded server's files: the
// server does not respond to a write that fails, so it is asked when a response takes
// long.
func (s *Store) attempt(ctx context.Context, stream string, write func(context.Context) error) error {
	k := kind{stream, true}
	if err := s.failFast(ctx, k); err != nil {
		return err
	}
	began := time.Now()
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	if s.embedded != nil {
		defer s.askEvery(checkInterval, fail)()
	}
	err := s.awaitConnection(ctx)
	if err == nil {
		err = write(ctx)
	}
	if stopped := context.Cause(ctx); err != nil && isBroken(stopped) {
		err = stopped
	}
	s.outages.note(k, began, err)
	s.writes.done(stream, err)
	var failed error
	if err != nil {
		failed = wrap(caller, err, "writing to the store")
	}
	s.opts.OnWrite(streamNames[stream], time.Since(began), failed)
	return err
}

// askEvery asks the embedded server at intervals whether it has stopped writing, and
// calls fail with the error if so, until stop is called.
func (s *Store) askEvery(interval time.Duration, fail context.CancelCauseFunc) (stop func()) {
	var timer *time.Timer
	var mu sync.Mutex
	stopped := false
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(interval, func() {
		if err := s.embedded.check(); err != nil {
			if s.ending.Err() != nil {
				s.giveUp()
			}
			fail(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer.Reset(interval)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		timer.Stop()
	}
}

// streamOf returns the stream that stores a subject.
func streamOf(subject string) string {
	for _, stream := range []string{logStream, dataStream, auditStream} {
		if strings.HasPrefix(subject, prefixOf(stream)) {
			return stream
		}
	}
	return stateStream
}
