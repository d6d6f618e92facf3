package transport

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// holdOffs remember, for each kind of call of a session, until when the control
// plane wants none (Retry-After). The tries of one call wait by their own rule;
// this is for the call after it, and for those beside it: the next heartbeat, the
// next question for a job's state, another chunk of the log, another job's accept.
// When the time is over one call goes ahead, and the others follow once it has not
// been sent away again. The zero value holds nothing off. Its methods may be
// called concurrently.
type holdOffs struct {
	mu    sync.Mutex
	holds map[string]*hold // by the kind of call
}

// hold is in force until a call that goes ahead is not sent away.
type hold struct {
	until time.Time
	// ahead is closed when the call that has gone ahead has its answer; nil while
	// there is none.
	ahead chan struct{}
}

// enter returns when a call of that kind may be made, or the cause of the
// context's end. What it returns is to be told how long the call's answer wants
// the next one to wait, zero if it does not say.
func (h *holdOffs) enter(ctx context.Context, kind string) (leave func(time.Duration), err error) {
	for {
		h.mu.Lock()
		held := h.holds[kind]
		if held == nil {
			h.mu.Unlock()
			return func(retryAfter time.Duration) { h.leave(kind, nil, retryAfter) }, nil
		}
		left, ahead := time.Until(held.until), held.ahead
		if left <= 0 && ahead == nil {
			held.ahead = make(chan struct{})
			h.mu.Unlock()
			return func(retryAfter time.Duration) { h.leave(kind, held, retryAfter) }, nil
		}
		h.mu.Unlock()
		if err := pass(ctx, left, ahead); err != nil {
			return nil, err
		}
	}
}

// leave takes the answer of a call; ahead is the hold that it went ahead of, nil
// if there was none.
func (h *holdOffs) leave(kind string, ahead *hold, retryAfter time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ahead != nil {
		close(ahead.ahead)
		ahead.ahead = nil
		if retryAfter <= 0 {
			delete(h.holds, kind)
		}
	}
	if retryAfter <= 0 {
		return
	}
	if h.holds == nil {
		h.holds = make(map[string]*hold)
	}
	if h.holds[kind] == nil {
		h.holds[kind] = &hold{}
	}
	h.holds[kind].until = later(h.holds[kind].until, time.Now().Add(spread(retryAfter)))
}

// pass waits for the time to pass or, if it has, for the channel to be closed. The
// error is the cause of the context's end.
func pass(ctx context.Context, left time.Duration, ahead <-chan struct{}) error {
	var timer <-chan time.Time
	if left > 0 {
		timer, ahead = time.After(left), nil
	}
	select {
	case <-timer:
	case <-ahead:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// spread adds a random part to a Retry-After, so that callers who were sent away
// together do not come back together.
func spread(retryAfter time.Duration) time.Duration {
	part := rand.Float64() * retryAfterSpread //nolint:gosec // spreading load needs no secrecy
	return retryAfter + time.Duration(part*float64(retryAfter))
}

// kind is what the call is, whatever job it is about.
func (c call) kind() string {
	if c.path[0] == routeJobs {
		return c.method + " a job's " + strings.Join(c.path[2:], "/")
	}
	return c.method + " " + strings.Join(c.path, "/")
}
