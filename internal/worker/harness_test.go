package worker_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// harness runs one worker against a control plane, over a network in memory and
// in virtual time.
type harness struct {
	control *control
	network *memnet.Network
	server  *http.Server
	wire    *transport.Transport
	ctx     context.Context
	cancel  context.CancelCauseFunc
	session *transport.Session
	worker  *worker.Worker
	ended   chan struct{}
	job     chan struct{} // a value ends the running job

	jobStarted, jobEnded func(id string) // called by runJob, around the command

	mu    sync.Mutex
	state fsm.State
	left  string // the reason, once the worker has left
}

// newHarness returns a harness without a worker. The handler is the control
// plane's, with what the test puts before it.
func newHarness(t *testing.T, c *control, handler http.Handler) *harness {
	t.Helper()
	h := &harness{
		control: c, network: memnet.New(), ended: make(chan struct{}), job: make(chan struct{}),
		jobStarted: func(string) {}, jobEnded: func(string) {},
	}
	h.server = &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	h.server.ErrorLog = log.New(io.Discard, "", 0) // a dark network leaves incomplete requests
	h.server.Protocols.SetHTTP1(true)
	h.server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = h.server.Serve(h.network) }()
	h.ctx, h.cancel = context.WithCancelCause(t.Context())
	return h
}

// close ends everything, so that no goroutine is left in the bubble.
func (h *harness) close() {
	h.cancel(context.Canceled)
	if h.worker != nil {
		<-h.ended
	}
	if h.wire != nil {
		h.wire.Close()
	}
	_ = h.server.Close()
	_ = h.network.Close()
}

// start registers a worker and runs it.
func (h *harness) start(t *testing.T, config worker.Config) {
	t.Helper()
	var err error
	h.wire, err = transport.New(transport.Options{
		Endpoints: []string{"http://control.test/v3"}, DialContext: h.network.DialContext,
	})
	if err != nil {
		t.Fatal(err)
	}
	session, err := h.wire.Register(h.ctx, func() string { return "registration" }, wire.RegisterRequest{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	h.session, config.Session, config.Heartbeat = session, session, session.HeartbeatInterval()
	if h.worker, err = worker.New(config); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(h.ended)
		reason, err := h.worker.Run(h.ctx)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.left = reason.String()
		if err != nil {
			h.left = err.Error()
		}
	}()
	time.Sleep(200 * time.Millisecond) // the first attempt at the stream comes within 10 ms
	synctest.Wait()                    // panics outside a bubble
}

func (h *harness) observe(r fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.state = r.To
}

// reason returns why the worker has left, or "" if it has not.
func (h *harness) reason() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left
}

// runJob runs a job that ends when h.job receives a value, or when it is
// canceled.
func (h *harness) runJob(ctx context.Context, accepted wire.Job) (job.Result, error) {
	session := h.session.Job(accepted)
	if err := session.Start(ctx, time.Now()); err != nil {
		return job.Result{}, fmt.Errorf("%w: %w", job.ErrAbandoned, err)
	}
	h.jobStarted(accepted.ID)
	result := job.Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}
	select {
	case <-h.job:
	case <-ctx.Done():
		result.ExitStatus, result.Signal, result.SignalReason = wire.ExitStatusNeverRan, "SIGTERM", wire.ReasonAgentStop
	}
	h.jobEnded(accepted.ID)
	return result, session.Finish(context.WithoutCancel(ctx), wire.FinishRequest{ExitStatus: result.ExitStatus})
}
