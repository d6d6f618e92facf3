package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// busyServer responds to everything with a status and a Retry-After, in seconds and as a
// date in turn, and records calls that come too early.
type busyServer struct {
	status  int
	message string // of the control plane, or of a proxy
	asks    time.Duration

	mu        sync.Mutex
	notBefore map[string]time.Time
	calls     map[string]int
	early     []string
}

func newUnwilling(status int, message string, asks time.Duration) *busyServer {
	return &busyServer{
		status: status, message: message, asks: asks, notBefore: map[string]time.Time{}, calls: map[string]int{},
	}
}

func (u *busyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := r.Method + " " + r.URL.Path
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	if left := u.notBefore[kind].Sub(now); left > 0 {
		u.early = append(u.early, fmt.Sprintf("%s came %v too early", kind, left))
	}
	value, until := strconv.FormatFloat(u.asks.Seconds(), 'f', -1, 64), now.Add(u.asks)
	if u.calls[kind]%2 == 1 { // a date has whole seconds
		until = until.Truncate(time.Second)
		value = until.UTC().Format(http.TimeFormat)
	}
	u.calls[kind]++
	u.notBefore[kind] = until
	reply(u.status, u.message, "Retry-After", value)(w, r)
}

// TestRetryAfterIsRespected makes every kind of call to a busy control plane as often as
// possible: no call comes back before the Retry-After of the last response has passed.
func TestRetryAfterIsRespected(t *testing.T) {
	const times = 3 // each call is made, with all its tries
	job := func(s *transport.Session) *transport.JobSession { return s.Job(wire.Job{ID: "j1"}) }
	type call func(context.Context, *transport.Session)
	for _, row := range []struct {
		kind  string // of the request
		call  call
		least int // of its tries
	}{
		{"POST /v3/connect", func(ctx context.Context, s *transport.Session) { _ = s.Connect(ctx) }, 20},
		{"POST /v3/heartbeat", func(ctx context.Context, s *transport.Session) { _ = s.Heartbeat(ctx) }, 20},
		{"PUT /v3/jobs/j1/accept", func(ctx context.Context, s *transport.Session) { _, _ = s.Accept(ctx, "j1") }, 3},
		{"PUT /v3/jobs/j1/acquire", func(ctx context.Context, s *transport.Session) { _, _ = s.Acquire(ctx, "j1") }, 9},
		{"PUT /v3/jobs/j1/start", func(ctx context.Context, s *transport.Session) { _ = job(s).Start(ctx, time.Now()) }, 14},
		{"GET /v3/jobs/j1", func(ctx context.Context, s *transport.Session) {
			// With a timeout of its own, as a job does.
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, _ = job(s).State(ctx)
			<-ctx.Done()
		}, 1},
		{"PUT /v3/jobs/j1/finish", func(ctx context.Context, s *transport.Session) {
			_ = job(s).Finish(ctx, wire.FinishRequest{ExitStatus: "0"})
		}, 24},
		{"POST /v3/jobs/j1/chunks", func(ctx context.Context, s *transport.Session) {
			var beside sync.WaitGroup // as a job uploads
			for n := range uint64(3) {
				beside.Go(func() {
					time.Sleep(time.Duration(n) * time.Millisecond) // requests in flight do not know the Retry-After yet
					_ = job(s).Chunk(ctx, wire.Chunk{Sequence: n + 1, Data: []byte("x")})
				})
			}
			beside.Wait()
		}, 24},
		{"POST /v3/disconnect", func(ctx context.Context, s *transport.Session) { _ = s.Disconnect(ctx) }, 8},
		{"POST " + streamRoute, func(ctx context.Context, s *transport.Session) {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
			defer cancel()
			// Pings that fail and succeed would bring an attempt forward.
			for at := time.Second; at < 10*time.Minute; at += time.Second {
				time.AfterFunc(at, s.PingFailed)
				time.AfterFunc(at+time.Millisecond, s.PingSucceeded)
			}
			s.RunStream(ctx, transport.StreamOptions{}, func(transport.StreamEvent) {})
		}, 8},
	} {
		for _, busy := range []struct {
			name, message string
			status        int
			asks          time.Duration
		}{
			{"429, the control plane's", `{"message":"slow down"}`, http.StatusTooManyRequests, 37 * time.Second},
			{"503, a proxy's", `<html>later</html>`, http.StatusServiceUnavailable, 37 * time.Second},
			{"503, and not for long", `{"message":"wait"}`, http.StatusServiceUnavailable, 1500 * time.Millisecond},
		} {
			t.Run(row.kind+"/"+busy.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					control := newUnwilling(busy.status, busy.message, busy.asks)
					session := newHarness(t, registering(control)).register(t)
					for range times {
						row.call(t.Context(), session)
					}
					if len(control.early) > 0 {
						t.Errorf("%d of %d: %s", len(control.early), control.calls[row.kind], control.early[0])
					}
					if control.calls[row.kind] < row.least {
						t.Errorf("%d tries, want %d at least", control.calls[row.kind], row.least)
					}
				})
			})
		}
	}
}

const streamRoute = "/agentedge.v1.AgentEdgeService/StreamPings"

// TestRegisterRespectsRetryAfter is the same for the call before there is a session.
func TestRegisterRespectsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control := newUnwilling(http.StatusServiceUnavailable, "", 37*time.Second)
		harness := newHarness(t, control)
		if _, err := harness.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{}); err == nil {
			t.Fatal("registered")
		}
		if calls := control.calls["POST /v3/register"]; calls != 33 || len(control.early) > 0 {
			t.Errorf("%d tries; %q", calls, control.early)
		}
	})
}

// TestRetryAfterIsPerKind shows that a Retry-After delays only calls of the same kind.
func TestRetryAfterIsPerKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("PUT /v3/jobs/{id}/accept", reply(http.StatusServiceUnavailable, `{"message":"busy"}`, "Retry-After", "60"))
		mux.Handle("/", reply(http.StatusOK, `{}`))
		session := newHarness(t, registering(mux)).register(t)
		if _, err := session.Accept(t.Context(), "j1"); err == nil {
			t.Fatal("accepted")
		}
		began := time.Now()
		if err := session.Heartbeat(t.Context()); err != nil || time.Since(began) != 0 {
			t.Errorf("a heartbeat took %v: %v", time.Since(began), err)
		}
		if _, err := session.Accept(t.Context(), "j2"); err == nil || time.Since(began) < time.Minute {
			t.Errorf("another accept took %v: %v", time.Since(began), err)
		}
	})
}
