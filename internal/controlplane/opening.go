package controlplane

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

const (
	// minReadWait and maxReadWait are the times between two attempts to read a store that
	// does not respond.
	minReadWait = 100 * time.Millisecond
	maxReadWait = 2 * time.Second
	// refusalsASecond is how many requests a second are refused before the store is open
	// without an effect on Retry-After, which then grows with them, from one second up to
	// maxOpeningRetryAfter: a fleet that tries again each second would take the processors
	// that opening the store needs.
	refusalsASecond      = 500
	maxOpeningRetryAfter = 30
)

// gate is the handler of the port. Until the store is open it responds with 503, so
// that clients try again, or try another replica, and know why.
type gate struct {
	handler atomic.Pointer[http.Handler]

	mu sync.Mutex // for what follows
	// second is the present second, refused how many requests were refused in it, and
	// refusedBefore in the one before.
	second                 int64
	refused, refusedBefore int
}

// open has all further requests handled by handler.
func (g *gate) open(handler http.Handler) { g.handler.Store(&handler) }

// ServeHTTP implements http.Handler.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := g.handler.Load(); handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	g.refuse(w, r)
}

// refuse responds before the store is open.
func (g *gate) refuse(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		respond(w, nil)
	case "/readyz":
		respond(w, errOpening)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Retry-After", strconv.Itoa(g.retryAfter(time.Now())))
		w.WriteHeader(http.StatusServiceUnavailable)
		// Both the protocol of agents and that of switchyard.v1 read the message.
		_, _ = w.Write(openingBody())
	}
}

// retryAfter returns the Retry-After, in seconds, of a response before the store is open,
// and counts the response.
func (g *gate) retryAfter(now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch second := now.Unix(); second {
	case g.second:
	case g.second + 1:
		g.second, g.refusedBefore, g.refused = second, g.refused, 0
	default:
		g.second, g.refusedBefore, g.refused = second, 0, 0
	}
	g.refused++
	return min(1+max(g.refused, g.refusedBefore)/refusalsASecond, maxOpeningRetryAfter)
}

// openingBody returns the body of the response before the store is open.
func openingBody() []byte {
	body, err := json.Marshal(map[string]string{"code": "unavailable", "message": errOpening.Error() + "; try again"})
	if err != nil {
		return nil // it cannot fail for text
	}
	return body
}

// errOpening is why a server whose store is not open yet serves nothing. The reason is
// in its log.
var errOpening = errors.New("the control plane is starting, and its store is not open yet")

// whileUnavailable calls read, which reads a store that may be electing a leader, until
// it returns something else than store.ErrUnavailable, or ctx ends.
func whileUnavailable[T any](ctx context.Context, logger *zap.Logger, read func() (T, error)) (T, error) {
	for wait := minReadWait; ; wait = min(2*wait, maxReadWait) {
		value, err := read()
		if !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			return value, err
		}
		logger.Warn("waiting for the store", zap.Error(err))
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}
