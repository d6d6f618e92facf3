package worker_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// busyFor is the Retry-After of a busy control plane.
const busyFor = 37 * time.Second

// busyProxy refuses some kinds of call with Retry-After, until end, and records
// the calls that came back too early. Others reach the next handler.
type busyProxy struct {
	next   http.Handler
	status int
	body   string
	kinds  []string // refused

	mu        sync.Mutex
	ended     bool
	notBefore map[string]time.Time // by kind
	calls     map[string]int       // by kind
	early     []string
}

func (b *busyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := kindOf(r)
	b.mu.Lock()
	now := time.Now()
	if left := b.notBefore[kind].Sub(now); left > 0 {
		b.early = append(b.early, fmt.Sprintf("%s came %v too early", kind, left))
	}
	refused := !b.ended && slices.Contains(b.kinds, kind)
	b.calls[kind]++
	if refused {
		b.notBefore[kind] = now.Add(busyFor)
	}
	b.mu.Unlock()
	switch {
	case refused:
		w.Header().Set("Retry-After", fmt.Sprint(int(busyFor.Seconds())))
		w.WriteHeader(b.status)
		_, _ = w.Write([]byte(b.body))
	case kind == "state":
		_, _ = w.Write([]byte(`{"state":"running"}`))
	default:
		b.next.ServeHTTP(w, r)
	}
}

func (b *busyProxy) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

func kindOf(r *http.Request) string {
	switch {
	case r.URL.Path == agentedgev1connect.AgentEdgeServiceStreamPingsProcedure:
		return "stream"
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v3/jobs/"):
		return "state"
	default:
		return r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	}
}

// runBusyJob runs a job that uploads a chunk and asks for its state twice a
// second, for a minute.
func (h *harness) runBusyJob(ctx context.Context, accepted wire.Job) (job.Result, error) {
	session := h.session.Job(accepted)
	if err := session.Start(ctx, time.Now()); err != nil {
		return job.Result{}, fmt.Errorf("%w: %w", job.ErrAbandoned, err)
	}
	const every, times = 500 * time.Millisecond, 120
	var uploads sync.WaitGroup
	for n := range uint64(times) {
		uploads.Go(func() {
			_ = session.Chunk(ctx, wire.Chunk{Sequence: n + 1, Offset: n, Data: []byte("x")})
		})
		uploads.Go(func() { _, _ = session.State(ctx) })
		time.Sleep(every)
	}
	uploads.Wait()
	result := job.Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}
	return result, session.Finish(context.WithoutCancel(ctx), wire.FinishRequest{ExitStatus: result.ExitStatus})
}

// TestRetryAfter runs a worker against a control plane that refuses one kind of
// call, or all of them, with Retry-After for five minutes. No call may come back
// too early. When the control plane responds again the job must run, and the
// worker must leave normally.
func TestRetryAfter(t *testing.T) {
	all := []string{"heartbeat", "ping", "stream", "accept", "start", "chunks", "state", "finish"}
	for _, row := range []struct {
		name  string
		mode  fsm.Mode
		kinds []string // the refused kinds; the row is about the first
		once  bool     // the call is made once: it is not retried, or not in time
	}{
		{"connect", fsm.Auto, []string{"connect"}, false},
		{"ping", fsm.PollOnly, []string{"ping"}, false},
		{"stream", fsm.StreamOnly, []string{"stream"}, false},
		{"stream, while pings succeed", fsm.Auto, []string{"stream"}, false},
		{"stream and ping", fsm.Auto, []string{"stream", "ping"}, false},
		{"heartbeat", fsm.Auto, []string{"heartbeat"}, false},
		{"accept of a job assigned by the stream alone", fsm.Auto, []string{"accept"}, true},
		{"accept of a job assigned by every ping", fsm.PollOnly, []string{"accept"}, false},
		{"start of a job assigned by every ping", fsm.PollOnly, []string{"start"}, false},
		{"chunks", fsm.Auto, []string{"chunks"}, false},
		{"state", fsm.Auto, []string{"state"}, false},
		{"finish", fsm.Auto, []string{"finish"}, false},
		{"disconnect", fsm.Auto, []string{"disconnect"}, true},
		{"everything", fsm.Auto, all, false},
		{"everything, polling", fsm.PollOnly, all, false},
	} {
		for name, response := range map[string]struct {
			status int
			body   string
		}{
			"429": {http.StatusTooManyRequests, `{"message":"slow down"}`},
			"503": {http.StatusServiceUnavailable, `<html>later</html>`},
		} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := newControl()
					c.set("stream", "job:J1")
					c.set("ping", "job:J1")
					proxy := &busyProxy{
						next: c.mux, status: response.status, body: response.body, kinds: row.kinds,
						notBefore: map[string]time.Time{}, calls: map[string]int{},
					}
					h := newHarness(t, c, proxy)
					defer h.close()
					h.start(t, worker.Config{
						RunJob: h.runBusyJob, Machine: fsm.Config{Mode: row.mode},
						Rand: rand.New(rand.NewPCG(3, 4)), //nolint:gosec // the same jitter in every run
					})
					time.Sleep(5 * time.Minute)
					proxy.end()
					time.Sleep(30 * time.Minute)
					h.worker.Drain()
					<-h.ended
					if len(proxy.early) > 0 {
						t.Errorf("%d calls came too early: %s", len(proxy.early), proxy.early[0])
					}
					if n := proxy.calls[row.kinds[0]]; n < 2 && !row.once {
						t.Errorf("%s was called %d times, which tests nothing", row.kinds[0], n)
					}
					if proxy.calls["finish"] == 0 && !row.once {
						t.Error("the job was not run")
					}
					if h.left != "drained" {
						t.Errorf("left: %s", h.left)
					}
				})
			})
		}
	}
}
