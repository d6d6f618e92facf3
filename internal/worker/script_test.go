package worker_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestScripts runs every script of testdata/worker: a worker on the real wire,
// in memory and in virtual time, against a control plane that does as the script
// says. -rewrite writes the answers into the scripts. The commands:
//
//	start [mode=M] [after-job] [silence=D] [uptime=D] [acquire=ID]
//	control CALL=WAY ...     how the control plane answers from now on
//	say WHAT                 on the stream that is open: resume, pause,
//	                         disconnect, job:ID, empty, end (planned), lose
//	network dark|light       all bytes vanish, or cease to
//	job end                  the job in hand ends
//	drain, force             ask the worker to leave
//	wait D                   let that much time pass
//
// Each answers with the calls that the control plane has had since, each once,
// and with the state of the worker or why it has left.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/worker/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newControl()
				s := newStage(t, c, c.mux)
				defer s.strike()
				datadriven.RunTest(t, path, s.do)
			})
		})
	}
}

// stage is a worker and the world around it.
type stage struct {
	control *control
	network *memnet.Network
	server  *http.Server
	wire    *transport.Transport
	ctx     context.Context
	cancel  context.CancelCauseFunc
	worker  *worker.Worker
	ended   chan struct{}
	job     chan struct{} // a value ends the job in hand

	session              *transport.Session
	jobStarted, jobEnded func(id string) // called by runJob, around the command

	mu    sync.Mutex
	state fsm.State
	left  string
}

// newStage returns a world without a worker yet. The handler is the control
// plane's, with whatever stands in front of it.
func newStage(t *testing.T, c *control, handler http.Handler) *stage {
	t.Helper()
	s := &stage{control: c, network: memnet.New(), ended: make(chan struct{}), job: make(chan struct{})}
	s.jobStarted, s.jobEnded = func(string) {}, func(string) {}
	s.server = &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	s.server.ErrorLog = log.New(io.Discard, "", 0) // a dark network leaves requests in pieces
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.server.Serve(s.network) }()
	s.ctx, s.cancel = context.WithCancelCause(t.Context())
	return s
}

// strike ends everything, so that nothing is left in the bubble.
func (s *stage) strike() {
	s.cancel(context.Canceled)
	if s.worker != nil {
		<-s.ended
	}
	if s.wire != nil {
		s.wire.Close()
	}
	_ = s.server.Close()
	_ = s.network.Close()
}

func (s *stage) do(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "start":
		s.start(t, d)
	case "control":
		for _, a := range d.CmdArgs {
			s.control.set(a.Key, a.Vals[0])
		}
		return "ok\n"
	case "say":
		s.control.say(t, d.CmdArgs[0].Key)
	case "network":
		s.network.Dark.Store(d.CmdArgs[0].Key == "dark")
		return "ok\n"
	case "job":
		s.job <- struct{}{}
	case "drain":
		s.worker.Drain()
	case "force":
		s.worker.Force()
	case "wait":
		time.Sleep(duration(t, d, d.CmdArgs[0].Key))
		synctest.Wait()
		s.control.sort() // what happened in the meantime has no order to rely on
	default:
		d.Fatalf(t, "no such command: %s", d.Cmd)
	}
	synctest.Wait()
	return s.tell()
}

// tell says what has happened since it last did.
func (s *stage) tell() string {
	var b strings.Builder
	if calls := s.control.taken(); len(calls) > 0 {
		fmt.Fprintf(&b, "%s\n", strings.Join(calls, ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left != "" {
		fmt.Fprintf(&b, "left: %s\n", s.left)
	} else {
		fmt.Fprintf(&b, "in %v\n", s.state)
	}
	return b.String()
}

func (s *stage) start(t *testing.T, d *datadriven.TestData) {
	t.Helper()
	config := worker.Config{
		RunJob: s.runJob, Observe: s.observe,
		Rand: rand.New(rand.NewPCG(1, 2)), //nolint:gosec // the same jitter in every run
	}
	for _, a := range d.CmdArgs {
		value := ""
		if len(a.Vals) > 0 {
			value = a.Vals[0]
		}
		switch a.Key {
		case "mode":
			mode, ok := fsm.ParseMode(value)
			if !ok {
				d.Fatalf(t, "no such mode: %s", value)
			}
			config.Machine.Mode = mode
		case "after-job":
			config.Machine.RetireAfterJob = true
		case "acquire":
			config.Machine.Mode, config.Machine.AcquireJob = fsm.Acquire, fsm.JobID(value)
		case "silence":
			config.SilenceLimit = duration(t, d, value)
		case "uptime":
			config.Uptime = duration(t, d, value)
		default:
			d.Fatalf(t, "no such argument: %s", a.Key)
		}
	}
	s.begin(t, config)
}

// begin registers a worker and lets it run.
func (s *stage) begin(t *testing.T, config worker.Config) {
	t.Helper()
	var err error
	s.wire, err = transport.New(transport.Options{
		Endpoint: "http://control.test/v3", DialContext: s.network.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	session, answer, err := s.wire.Register(s.ctx, "registration", transport.RegisterRequest{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	s.session, config.Session, config.Heartbeat = session, session, answer.HeartbeatInterval
	if s.worker, err = worker.New(config); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		why, err := s.worker.Run(s.ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.left = why.String()
		if err != nil {
			s.left = err.Error()
		}
	}()
	time.Sleep(200 * time.Millisecond) // a process's first attempt at the stream comes within 100 ms
}

func (s *stage) observe(t fsm.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = t.To
}

// runJob is a job that ends when the script says so, or when it is cancelled.
func (s *stage) runJob(ctx context.Context, accepted transport.AcceptedJob) (job.Result, error) {
	session := s.session.Job(accepted)
	if err := session.Start(ctx, time.Now()); err != nil {
		return job.Result{}, fmt.Errorf("%w: %w", job.ErrAbandoned, err)
	}
	s.jobStarted(accepted.ID)
	result := job.Result{ExitStatus: "0"}
	select {
	case <-s.job:
	case <-ctx.Done():
		result.ExitStatus, result.Signal, result.SignalReason = job.StatusNeverRan, "SIGTERM", job.ReasonAgentStop
	}
	s.jobEnded(accepted.ID)
	return result, session.Finish(context.WithoutCancel(ctx), transport.FinishRequest{ExitStatus: result.ExitStatus})
}

func duration(t *testing.T, d *datadriven.TestData, text string) time.Duration {
	t.Helper()
	value, err := time.ParseDuration(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return value
}
