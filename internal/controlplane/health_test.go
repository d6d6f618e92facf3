package controlplane

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/grpchealth"
	"go.uber.org/zap"
)

// A probe is a health and what it was last told to find.
type probe struct {
	*health

	t       *testing.T
	closing chan struct{}
	err     error         // of the store
	takes   time.Duration // to answer
	asked   int
}

func newProbe(t *testing.T) *probe {
	t.Helper()
	p := &probe{t: t, closing: make(chan struct{})}
	p.health = &health{closing: p.closing, logger: zap.NewNop(), checkStore: func(ctx context.Context) error {
		p.asked++
		timer := time.NewTimer(p.takes)
		defer timer.Stop()
		select {
		case <-timer.C:
			return p.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}
	return p
}

// wants probes everything.
func (p *probe) wants(ready bool) {
	p.t.Helper()
	mux := http.NewServeMux()
	p.routes(mux)
	status, serving := http.StatusOK, grpchealth.StatusServing
	if !ready {
		status, serving = http.StatusServiceUnavailable, grpchealth.StatusNotServing
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": status} {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequestWithContext(p.t.Context(), http.MethodGet, path, nil))
		if recorder.Code != want {
			p.t.Errorf("%s: status %d, want %d", path, recorder.Code, want)
		}
	}
	res, err := p.Check(p.t.Context(), &grpchealth.CheckRequest{})
	if err != nil || res.Status != serving {
		p.t.Errorf("grpc.health: %v, %v; want %v", res, err, serving)
	}
}

// A server that shuts down is alive, and not to be sent anything.
func TestHealthWhileClosing(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	p.wants(true)
	close(p.closing)
	p.wants(false)
}

// One whose store is out of reach, or too slow, is not to be sent anything until
// it is back.
func TestHealthAsksTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.wants(true)
		p.err = errors.New("gone")
		time.Sleep(storeCheckAge)
		p.wants(false)
		p.err, p.takes = nil, storeTimeout+time.Second
		time.Sleep(storeCheckAge)
		began := time.Now()
		p.wants(false)
		if lasted := time.Since(began); lasted != storeTimeout {
			t.Errorf("probes of a slow store took %v, want %v for the first", lasted, storeTimeout)
		}
		p.takes = 0
		time.Sleep(storeCheckAge)
		p.wants(true)
	})
}

// Anybody may probe, as often as they like, and the store is asked once a second.
func TestProbesAreNoLoadOnTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		for range 1000 {
			p.wants(true)
			time.Sleep(10 * time.Millisecond)
		}
		if p.asked != 10 {
			t.Errorf("the store was asked %d times in ten seconds, want 10", p.asked)
		}
	})
}

// A probe that gives up does not make the next one wait for nothing, nor find the
// store gone.
func TestProbeThatGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.takes = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if !p.ready(ctx) {
			t.Error("not ready, for a caller that gave up")
		}
		p.wants(true)
	})
}
