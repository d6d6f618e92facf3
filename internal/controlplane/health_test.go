package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/grpchealth"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// probe is a health with a store whose state the test sets.
type probe struct {
	*health

	t       *testing.T
	closing chan struct{}
	err     error         // of the store
	takes   time.Duration // duration of a check
	checks  int
}

func newProbe(t *testing.T) *probe {
	t.Helper()
	p := &probe{t: t, closing: make(chan struct{})}
	p.health = &health{closing: p.closing, logger: zap.NewNop(), checkStore: func(ctx context.Context) error {
		p.checks++
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

// expect checks the result of every probe. why is in the body of /readyz.
func (p *probe) expect(ready bool, why ...string) {
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
		for _, text := range why {
			if body := recorder.Body.String(); path == "/readyz" && body != text {
				p.t.Errorf("%s: %q, want %q", path, body, text)
			}
		}
	}
	res, err := p.Check(p.t.Context(), &grpchealth.CheckRequest{})
	if err != nil || res.Status != serving {
		p.t.Errorf("grpc.health: %v, %v; want %v", res, err, serving)
	}
}

// A server that shuts down is alive and not ready.
func TestHealthWhileClosing(t *testing.T) {
	t.Parallel()
	p := newProbe(t)
	p.expect(true, "ok\n")
	close(p.closing)
	p.expect(false, "no: the control plane is shutting down\n")
}

// A server is not ready while its store is unavailable or too slow.
func TestHealthChecksTheStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.expect(true)
		p.err = errors.New("unavailable at a secret address")
		time.Sleep(storeCheckAge)
		p.expect(false, "no: the store does not respond\n")
		p.err = fmt.Errorf("writing: %w", store.ErrFull)
		time.Sleep(storeCheckAge)
		p.expect(false, "no: the disk of the store is full\n")
		limit := &store.LimitError{Used: 4 << 20, Most: 3 << 20, Limit: 16 << 20}
		p.err = fmt.Errorf("checking: %w", limit)
		time.Sleep(storeCheckAge)
		p.expect(true, "ok\n"+limit.Error()+"\n") // what runs goes on: a balancer must not cut it off
		p.err, p.takes = nil, storeTimeout+time.Second
		time.Sleep(storeCheckAge)
		began := time.Now()
		p.expect(false)
		if lasted := time.Since(began); lasted != storeTimeout {
			t.Errorf("probes of a slow store took %v, want %v, for one check", lasted, storeTimeout)
		}
		p.takes = 0
		time.Sleep(storeCheckAge)
		p.expect(true)
	})
}

// However many probes arrive, the store is checked once a second.
func TestStoreChecksAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		for range 1000 {
			p.expect(true)
			time.Sleep(10 * time.Millisecond)
		}
		if p.checks != 10 {
			t.Errorf("the store was checked %d times in ten seconds, want 10", p.checks)
		}
	})
}

// A check continues when its caller is canceled; the next probe uses the result.
func TestCanceledProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.takes = time.Second
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if p.ready(ctx) != nil {
			t.Error("not ready after the caller was canceled")
		}
		p.expect(true)
	})
}
