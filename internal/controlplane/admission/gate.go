// Package admission bounds the memory of requests that are being decoded: a few
// bytes of a compressed body can become many in memory.
package admission

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// Capacity is how many bytes of requests may be decoded at the same time, counted
	// by Weight.
	Capacity = 64 << 20
	// Wait is how long a request waits for its turn.
	Wait = 5 * time.Second

	// expansion is how many bytes of memory one byte of a request takes at most,
	// approximately: its raw form, its decompressed form and its decoded form.
	expansion = 4
	// overhead is the memory of a request beside its body, in bytes.
	overhead = 4 << 10
	// smallBody is the size, in bytes, up to which a body is decoded without waiting.
	smallBody = 4 << 10
)

// The Retry-After of a refused request is a random number of seconds between these,
// so that callers do not come back all at once.
const (
	minRetryAfter = 1
	maxRetryAfter = 5
)

// ErrBusy is returned when too many requests are being decoded.
var ErrBusy = errors.New("too many large requests at the same time; try again")

// Gate lets requests through as long as the sum of their weights is within its
// capacity. Its methods may be called concurrently.
type Gate struct {
	capacity int64
	wait     time.Duration
	weights  *semaphore.Weighted
}

// NewGate returns a Gate with Capacity and Wait.
func NewGate() *Gate { return newGate(Capacity, Wait) }

func newGate(capacity int64, wait time.Duration) *Gate {
	return &Gate{capacity: capacity, wait: wait, weights: semaphore.NewWeighted(capacity)}
}

// IsSmall reports whether a request of this weight need not enter a Gate: a ping, a
// heartbeat or a call about one job does not wait behind uploads.
func IsSmall(weight int64) bool { return weight <= expansion*smallBody+overhead }

// Weight returns the weight of a request with a body of length bytes, -1 if that
// is not known, of which at most limit bytes are read, decompressed. A compressed
// body counts as the largest one.
func Weight(length, limit int64, compressed bool) int64 {
	if length < 0 || length > limit || compressed {
		length = limit
	}
	return expansion*length + overhead
}

// Enter waits until a request of this weight may be decoded. The caller calls
// leave when the request is decoded, or given up; calling it again does nothing.
// ErrBusy when the wait is over; the context's error.
func (g *Gate) Enter(ctx context.Context, weight int64) (leave func(), err error) {
	weight = min(weight, g.capacity)
	limited, cancel := context.WithTimeoutCause(ctx, g.wait, ErrBusy)
	defer cancel()
	if err := g.weights.Acquire(limited, weight); err != nil {
		return nil, fmt.Errorf("waiting to decode a request: %w", context.Cause(limited))
	}
	return sync.OnceFunc(func() { g.weights.Release(weight) }), nil
}

// LeaveBody has a response that refuses a request by its header sent at once. The
// server of net/http reads the rest of an HTTP/1 request before it responds, unless
// the connection is closed behind the response.
func LeaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor == 1 && r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
	}
}

// RetryAfter returns the value of the header Retry-After for a request that was
// refused with ErrBusy.
func RetryAfter() string {
	jitter := rand.IntN(maxRetryAfter - minRetryAfter + 1) //nolint:gosec // spreads load, protects nothing
	return strconv.Itoa(minRetryAfter + jitter)
}
