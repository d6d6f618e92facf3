package transport

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// maxRetryAfter bounds a Retry-After, so that a mistyped header does not silence
	// an agent for good.
	maxRetryAfter = time.Hour
	// retryAfterSpread is the largest random part that is added to a Retry-After,
	// as a fraction of it.
	retryAfterSpread = 0.1
)

// retryAfterOf returns the Retry-After of a response, or zero. A date is compared
// with the Date header of the same response: the clock of this machine may be wrong.
func retryAfterOf(header http.Header) time.Duration {
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return parseRetryAfter(header.Get(headerRetryAfter), now)
}

// parseRetryAfter parses the value of a Retry-After header: seconds, possibly with a
// fraction, or an HTTP date (RFC 9110, section 10.2.3). A missing, past or invalid
// value is zero; a value beyond maxRetryAfter is cut to it.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case math.IsNaN(seconds) || seconds <= 0:
			return 0
		case seconds >= maxRetryAfter.Seconds():
			return maxRetryAfter
		}
		return time.Duration(seconds * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

// spread adds a random part to a Retry-After, so that callers who were refused
// together do not come back together.
func spread(retryAfter time.Duration) time.Duration {
	return retryAfter + between(0, time.Duration(retryAfterSpread*float64(retryAfter)))
}

// holdOffs make the calls of a session wait for a Retry-After, by the kind of call.
// The tries of one call already wait by their own schedule; this is for later and
// concurrent calls of the same kind: the next heartbeat, another chunk, the accept
// of another job. When the time has passed one call goes first, and the others follow
// once its response has no Retry-After. The zero value is ready. It is safe for
// concurrent use.
type holdOffs struct {
	mu    sync.Mutex
	holds map[string]*hold // by the kind of call
}

// hold lasts until the call that goes first has a response without a Retry-After.
type hold struct {
	until time.Time
	// first is closed when the call that goes first has returned; nil while there is
	// none.
	first chan struct{}
}

// enter returns as soon as a call of that kind may be made, or the cause of the
// context's end. The caller must call leave with the Retry-After of the response,
// zero for none.
func (h *holdOffs) enter(ctx context.Context, kind string) (leave func(time.Duration), err error) {
	for {
		h.mu.Lock()
		held := h.holds[kind]
		if held == nil {
			h.mu.Unlock()
			return func(retryAfter time.Duration) { h.leave(kind, nil, retryAfter) }, nil
		}
		left, first := time.Until(held.until), held.first
		if left <= 0 && first == nil {
			held.first = make(chan struct{})
			h.mu.Unlock()
			return func(retryAfter time.Duration) { h.leave(kind, held, retryAfter) }, nil
		}
		h.mu.Unlock()
		var timer <-chan time.Time
		if left > 0 {
			timer, first = time.After(left), nil
		}
		select {
		case <-timer:
		case <-first:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// leave notes the Retry-After of a response. The hold is the one whose first call
// this was, nil if there was none.
func (h *holdOffs) leave(kind string, held *hold, retryAfter time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held != nil {
		close(held.first)
		held.first = nil
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
	if until := time.Now().Add(spread(retryAfter)); until.After(h.holds[kind].until) {
		h.holds[kind].until = until
	}
}
