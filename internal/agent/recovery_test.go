package agent

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestUndeliveredIsDeliveredAfterAnOutage checks that the spool is delivered as soon as
// a ping reaches the control plane again, however long the outage was, and never before
// a Retry-After.
func TestUndeliveredIsDeliveredAfterAnOutage(t *testing.T) {
	const away = 47 * time.Minute
	for _, c := range []struct {
		name        string
		retryAfter  string // of the refusals
		least, most time.Duration
	}{
		{"at once", "", away, away + 10*time.Second + 2*firstRetry},
		{"after a Retry-After", "3000", away, away + 3300*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "spool")
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var mu sync.Mutex
				var lastRefused, finished time.Time
				handler := func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					finish := r.Method == http.MethodPut
					switch now := time.Now(); {
					case r.URL.Path == "/v3/register":
						_, _ = io.WriteString(w, `{"id":"w","access_token":"s"}`)
						return
					case now.Sub(start) < away:
						if finish {
							lastRefused = now
							w.Header().Set("Retry-After", c.retryAfter)
						}
						w.WriteHeader(http.StatusServiceUnavailable)
						return
					case finish:
						finished = now
					}
					_, _ = io.WriteString(w, `{}`)
				}
				client := serveInMemory(t, handler)
				session, err := client.Register(t.Context(), func() string { return "registration" }, wire.RegisterRequest{})
				if err != nil {
					t.Fatal(err)
				}
				s := spoolWith(t, dir, spool.Job{
					ID: "J1", Token: "secret", Endpoint: "http://control.test/v3", ChunkMaxSize: 100, StartedAt: time.Now(),
				})
				ctx, stop := context.WithCancel(t.Context())
				var tasks sync.WaitGroup
				tasks.Go(func() { undelivered{s, client, newHeldJobs(), zap.NewNop()}.run(ctx) })
				for range 12 * 60 * 6 { // two hours of pings
					_, _ = session.Ping(ctx)
					time.Sleep(10 * time.Second)
				}
				stop()
				tasks.Wait()
				if took := finished.Sub(start); took < c.least || took > c.most {
					t.Errorf("delivered after %v, want %v to %v", took, c.least, c.most)
				}
				if c.retryAfter != "" && finished.Sub(lastRefused) < 3000*time.Second {
					t.Errorf("tried %v after a Retry-After of 3000 seconds", finished.Sub(lastRefused))
				}
			})
		})
	}
}

// serveInMemory returns a transport to a control plane with a handler. Both end with
// the test.
func serveInMemory(t *testing.T, handler http.HandlerFunc) *transport.Transport {
	t.Helper()
	network := memnet.New()
	client, err := transport.New(transport.Options{Endpoints: []string{"http://control.test/v3"}, DialContext: network.DialContext})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	served := make(chan error, 1)
	go func() { served <- server.Serve(network) }()
	t.Cleanup(func() {
		client.Close()
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return client
}

// spoolWith returns a spool with the results of jobs that ended with status 7.
func spoolWith(t *testing.T, dir string, jobs ...spool.Job) *spool.Spool {
	t.Helper()
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		e, err := s.Create(job)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetResult(spool.Result{FinishRequest: wire.FinishRequest{ExitStatus: "7"}}); err != nil {
			t.Fatal(err)
		}
		e.Close()
	}
	return s
}
