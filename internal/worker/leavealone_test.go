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
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

// busyFor is how long a busy control plane asks to be left alone, each time.
const busyFor = 37 * time.Second

// busy stands in front of a control plane and sends some kinds of call away with
// Retry-After. It notes who came back before that was over.
type busy struct {
	next   http.Handler
	status int
	body   string
	kinds  []string

	mu        sync.Mutex
	over      bool
	notBefore map[string]time.Time
	came      map[string]int
	early     []string
}

func (b *busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := kindOf(r)
	b.mu.Lock()
	now := time.Now()
	if left := b.notBefore[kind].Sub(now); left > 0 {
		b.early = append(b.early, fmt.Sprintf("%s came %v too early", kind, left))
	}
	away := !b.over && slices.Contains(b.kinds, kind)
	b.came[kind]++
	if away {
		b.notBefore[kind] = now.Add(busyFor)
	}
	b.mu.Unlock()
	switch {
	case away:
		w.Header().Set("Retry-After", fmt.Sprint(int(busyFor.Seconds())))
		w.WriteHeader(b.status)
		_, _ = w.Write([]byte(b.body))
	case kind == "state":
		_, _ = w.Write([]byte(`{"state":"running"}`))
	default:
		b.next.ServeHTTP(w, r)
	}
}

func (b *busy) calm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
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

// impatient is a job that has something to say, and asks for its state, twice a
// second for a minute.
func (s *stage) impatient(ctx context.Context, accepted transport.AcceptedJob) (job.Result, error) {
	session := s.session.Job(accepted)
	if err := session.Start(ctx, time.Now()); err != nil {
		return job.Result{}, fmt.Errorf("%w: %w", job.ErrAbandoned, err)
	}
	const every, times = 500 * time.Millisecond, 120
	var uploads sync.WaitGroup
	for n := range uint64(times) {
		uploads.Go(func() { _ = session.Chunk(ctx, transport.Chunk{Sequence: n + 1, Offset: n, Data: []byte("x")}) })
		uploads.Go(func() { _, _ = session.State(ctx) })
		time.Sleep(every)
	}
	uploads.Wait()
	result := job.Result{ExitStatus: "0"}
	return result, session.Finish(context.WithoutCancel(ctx), transport.FinishRequest{ExitStatus: result.ExitStatus})
}

// TestLeftAlone has a whole worker meet a control plane that sends one kind of
// call away for five minutes, or all of them: nobody comes back earlier than it
// asked, and when it has time again the job is run and the worker leaves well.
func TestLeftAlone(t *testing.T) {
	all := []string{"heartbeat", "ping", "stream", "accept", "start", "chunks", "state", "finish"}
	for _, row := range []struct {
		name  string
		mode  fsm.Mode
		kinds []string // that are sent away; the first is what the row is about
		once  bool     // it comes once: it is not tried again, or not in time
	}{
		{"connect", fsm.Auto, []string{"connect"}, false},
		{"ping", fsm.PollOnly, []string{"ping"}, false},
		{"stream", fsm.StreamOnly, []string{"stream"}, false},
		{"stream, while pings succeed", fsm.Auto, []string{"stream"}, false},
		{"stream and ping", fsm.Auto, []string{"stream", "ping"}, false},
		{"heartbeat", fsm.Auto, []string{"heartbeat"}, false},
		{"accept, named by the stream alone", fsm.Auto, []string{"accept"}, true},
		{"accept, named by every ping", fsm.PollOnly, []string{"accept"}, false},
		{"start, named by every ping", fsm.PollOnly, []string{"start"}, false},
		{"chunks", fsm.Auto, []string{"chunks"}, false},
		{"state", fsm.Auto, []string{"state"}, false},
		{"finish", fsm.Auto, []string{"finish"}, false},
		{"disconnect", fsm.Auto, []string{"disconnect"}, true},
		{"everything", fsm.Auto, all, false},
		{"everything, polling", fsm.PollOnly, all, false},
	} {
		for name, answer := range map[string]struct {
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
					front := &busy{
						next: c.mux, status: answer.status, body: answer.body, kinds: row.kinds,
						notBefore: map[string]time.Time{}, came: map[string]int{},
					}
					s := newStage(t, c, front)
					defer s.strike()
					s.begin(t, worker.Config{
						RunJob: s.impatient, Machine: fsm.Config{Mode: row.mode},
						Rand: rand.New(rand.NewPCG(3, 4)), //nolint:gosec // the same jitter in every run
					})
					time.Sleep(5 * time.Minute)
					front.calm()
					time.Sleep(30 * time.Minute)
					s.worker.Drain()
					<-s.ended
					if len(front.early) > 0 {
						t.Errorf("%d calls came too early: %s", len(front.early), front.early[0])
					}
					if came := front.came[row.kinds[0]]; came < 2 && !row.once {
						t.Errorf("%s came %d times, which shows nothing", row.kinds[0], came)
					}
					if front.came["finish"] == 0 && !row.once {
						t.Error("the job was never run")
					}
					if s.left != "drained" {
						t.Errorf("left: %s", s.left)
					}
				})
			})
		}
	}
}
