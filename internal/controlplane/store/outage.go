package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

const (
	// patience is for how long requests of one kind must have gone unanswered before it is
	// known that the store is out of reach: as long as one request is repeated, so that a
	// change of leader is over by then.
	patience = callTimeout
	// minSilence is how long a request must have waited in vain to count as unanswered. One
	// whose caller has left sooner shows nothing.
	minSilence = time.Second
	// idleProbe is after how long without an answer the state is read only to find out
	// whether the store responds.
	idleProbe = 3 * time.Second
)

// kind is a kind of request: reads of a stream, or writes to it. They fail separately: a
// leader that has lost its followers responds to reads for a while.
type kind struct {
	stream string
	writes bool
}

// outages are the kinds of requests that an external store does not answer. One goroutine asks
// again until it does; meanwhile the requests of callers who wait for a response fail at once, so
// that they do not pile up. Its methods may be called concurrently; those of nil, for an
// embedded store, do nothing.
type outages struct {
	began chan struct{} // has an element if a kind is unanswered that was not before

	mu    sync.Mutex
	kinds map[kind]outage
}

// outage is what is known of one kind of request.
type outage struct {
	answered time.Time // when the last one was answered
	since    time.Time // when the first one began that was not, and after which none was; or zero
}

func newOutages() *outages { return &outages{began: make(chan struct{}, 1), kinds: map[kind]outage{}} }

// OutageError is the cause of an ErrUnavailable for a request that was not made, since the
// store is known to be out of reach.
type OutageError struct {
	// Lasts is for how long nothing was answered.
	Lasts time.Duration
}

// Error returns for how long.
func (e *OutageError) Error() string {
	return fmt.Sprintf("no response for %v", e.Lasts.Round(time.Second))
}

// promptKey is the key of the value of Prompt.
type promptKey struct{}

// Prompt returns a context in which a request fails at once while the store is known to be
// out of reach: its caller waits for a response, and can try again. Without it a request
// waits for as long as one may.
func Prompt(ctx context.Context) context.Context { return context.WithValue(ctx, promptKey{}, true) }

// isPrompt reports whether a context comes from Prompt.
func isPrompt(ctx context.Context) bool { return ctx.Value(promptKey{}) != nil }

// check returns an OutageError if a request of a kind is known to be in vain. A stream that
// cannot be read cannot be written, and without the state nothing else is of use.
func (o *outages) check(k kind) error {
	if o == nil {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, k := range [...]kind{k, {stream: k.stream}, {stream: stateStream}} {
		if since := o.kinds[k].since; !since.IsZero() && time.Since(since) >= patience {
			return &OutageError{time.Since(since)}
		}
	}
	return nil
}

// note takes the result of a request that began at a moment.
func (o *outages) note(k kind, began time.Time, err error) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	known := o.kinds[k]
	switch {
	case answered(err):
		o.kinds[k] = outage{answered: time.Now()}
	case !unanswered(err), time.Since(began) < minSilence, !known.since.IsZero():
	default:
		known.since = began
		if known.answered.After(began) {
			known.since = known.answered
		}
		o.kinds[k] = known
		select {
		case o.began <- struct{}{}:
		default:
		}
	}
}

// unansweredKinds returns the kinds of requests that are not answered, and since when the
// first of them is not.
func (o *outages) unansweredKinds() (kinds []kind, since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k, known := range o.kinds {
		if known.since.IsZero() {
			continue
		}
		kinds = append(kinds, k)
		if since.IsZero() || known.since.Before(since) {
			since = known.since
		}
	}
	return kinds, since
}

// idle returns for how long no request of a kind was answered.
func (o *outages) idle(k kind) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.kinds[k].answered)
}

// keepAsking asks the store whenever it has not answered, until it does, and from time to
// time if nobody else asks, so that an outage is known before a user meets it.
func (s *Store) keepAsking(ctx context.Context) {
	ticker := time.NewTicker(idleProbe)
	defer ticker.Stop()
	for {
		select {
		case <-s.outages.began:
			s.awaitAnswers(ctx)
		case <-ticker.C:
			if reads := (kind{stream: stateStream}); s.outages.idle(reads) >= idleProbe {
				_ = s.probeKind(ctx, reads) // it is noted
			}
		case <-ctx.Done():
			return
		}
	}
}

// awaitAnswers returns when every kind of request is answered, or ctx ends. It logs an
// outage, and its end.
func (s *Store) awaitAnswers(ctx context.Context) {
	told := false
	var began time.Time
	for ctx.Err() == nil {
		kinds, since := s.outages.unansweredKinds()
		if len(kinds) == 0 {
			if told {
				s.opts.Logger.Info("store responds again", zap.Duration("after", time.Since(began)))
			}
			return
		}
		if began = since; !told && time.Since(since) >= patience {
			told = true
			s.opts.Logger.Error("store does not respond; requests fail at once until it does",
				zap.String("store", s.address()), zap.Bool("connected", s.Connected()), zap.Duration("silent_for", time.Since(since)))
		}
		var probing sync.WaitGroup
		for _, k := range kinds {
			probing.Go(func() { _ = s.probeKind(ctx, k) }) // it is noted
		}
		probing.Wait()
		pause(ctx, retryWait)
	}
}

// probeKind makes one request of a kind, which is noted.
func (s *Store) probeKind(ctx context.Context, k kind) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if k.writes {
		return s.probe(ctx, k.stream)
	}
	_, err := s.last(ctx, s.named(k.stream), prefixOf(k.stream)+probeName)
	return err
}

// answered reports whether a request was answered, if only by a refusal.
func answered(err error) bool {
	if err == nil || errors.Is(err, jetstream.ErrMsgNotFound) {
		return true
	}
	refused, ok := errors.AsType[*jetstream.APIError](err)
	return ok && refused.ErrorCode != codeNotAvailable
}

// unanswered reports whether a request found no server that is in charge.
func unanswered(err error) bool {
	if refused, ok := errors.AsType[*jetstream.APIError](err); ok {
		return refused.ErrorCode == codeNotAvailable
	}
	for _, sign := range []error{
		context.DeadlineExceeded, nats.ErrNoResponders, nats.ErrTimeout, nats.ErrReconnectBufExceeded, nats.ErrDisconnected,
		jetstream.ErrNoStreamResponse, errNoConnection,
	} {
		if errors.Is(err, sign) {
			return true
		}
	}
	return false
}
