package worldtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// deliverEvery is how often an agent tries to deliver what is undelivered.
const deliverEvery = 5 * time.Second

var errKilled = errors.New("the agent was killed")

// machine is what stays when an agent is killed: its name and its spool.
type machine struct {
	name, queue string
	tags        []string
	mode        fsm.Mode
	protocol    transport.StreamProtocol
	spool       *spool.Spool
}

// agent is one process on a machine: one worker with its own connections, and the
// delivery of what is undelivered.
type agent struct {
	*machine

	world     *world
	transport *transport.Transport
	session   *transport.Session
	alive     context.Context //nolint:containedctx // of the process, not of a call
	end       context.CancelCauseFunc
	tasks     sync.WaitGroup
	left      chan struct{} // closed when the worker has ended

	mu       sync.Mutex
	worker   *worker.Worker // nil until it is registered
	running  string         // the job in hand
	held     map[string]bool
	dark     bool
	networks []*memnet.Network
}

// startAgent starts a process on a machine.
func (w *world) startAgent(m *machine, seed uint64) *agent {
	a := &agent{machine: m, world: w, held: map[string]bool{}, left: make(chan struct{})}
	a.alive, a.end = context.WithCancelCause(w.ctx)
	var err error
	a.transport, err = transport.New(transport.Options{
		Endpoints: []string{"http://control.test/v3"}, DialContext: a.dial, HeldJobs: a.heldJobs, Logger: w.logger.Named(m.name),
	})
	must(w.t, err)
	a.tasks.Go(a.deliver)
	a.tasks.Go(func() { a.run(rand.New(rand.NewPCG(1, seed))) }) //nolint:gosec // drawn
	return a
}

// run registers a worker and runs it until it leaves.
func (a *agent) run(random *rand.Rand) {
	defer close(a.left)
	session, err := a.transport.Register(a.alive, func() string { return registrationToken }, wire.RegisterRequest{
		Name: a.name, Tags: append([]string{wire.QueueTag + a.queue}, a.tags...), Features: []string{},
	})
	if err != nil {
		return
	}
	w, err := worker.New(worker.Config{
		Session: session, Machine: fsm.Config{Mode: a.mode}, RunJob: a.runJob, Heartbeat: session.HeartbeatInterval(),
		StreamProtocol: a.protocol, Rand: random, Logger: a.world.logger.Named(a.name),
	})
	if err != nil {
		a.world.failf("worker %s: %v", a.name, err)
		return
	}
	a.mu.Lock()
	a.session, a.worker = session, w
	a.mu.Unlock()
	if _, err := w.Run(a.alive); err != nil && a.alive.Err() == nil {
		a.world.logger.Info("worker ended", zap.String("worker_name", a.name), zap.Error(err))
	}
}

// workerID returns the ID of the process's worker, or "" before it is registered.
func (a *agent) workerID() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.session == nil {
		return ""
	}
	return a.session.ID()
}

// drain asks the worker to leave.
func (a *agent) drain() {
	a.mu.Lock()
	w := a.worker
	a.mu.Unlock()
	if w != nil {
		w.Drain()
	}
}

// kill ends the process at once: it sends and stores nothing more.
func (a *agent) kill() {
	a.cut(true)
	a.end(errKilled)
	a.tasks.Wait()
	a.transport.Close()
}

// hasLeft reports whether the worker has ended.
func (a *agent) hasLeft() bool {
	select {
	case <-a.left:
		return true
	default:
		return false
	}
}

// dial connects to a replica that is up.
func (a *agent) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	a.mu.Lock()
	dark := a.dark
	a.mu.Unlock()
	if dark {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	n, ok := a.world.network()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: kind, Err: syscall.ECONNREFUSED}
	}
	a.mu.Lock()
	a.networks = append(a.networks, n)
	a.mu.Unlock()
	return n.DialContext(ctx, kind, address)
}

// cut breaks the connections, or loses everything on them and on later ones.
func (a *agent) cut(dark bool) {
	a.mu.Lock()
	networks := a.networks
	a.dark = dark
	if !dark {
		a.networks = nil
	}
	a.mu.Unlock()
	for _, n := range networks {
		if dark {
			n.Dark.Store(true)
		} else {
			n.Cut()
		}
	}
}

// light ends the darkness; connections that have lost bytes stay dark.
func (a *agent) light() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dark = false
	for _, n := range a.networks {
		n.Dark.Store(false)
	}
}

// heldJobs returns the jobs that the process holds.
func (a *agent) heldJobs(string) (ids []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running != "" {
		ids = append(ids, a.running)
	}
	for id := range a.held {
		ids = append(ids, id)
	}
	return ids
}

func (a *agent) setRunning(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running = id
}

func (a *agent) setHeld(id string, held bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if held {
		a.held[id] = true
	} else {
		delete(a.held, id)
	}
}

// deliver delivers what earlier processes, and this one, could not deliver.
func (a *agent) deliver() {
	for a.alive.Err() == nil {
		for entry := range a.spool.Undelivered() {
			if a.alive.Err() != nil {
				entry.Close()
				break
			}
			id := entry.Job.ID
			a.setHeld(id, true)
			session, err := a.transport.UndeliveredJob(entry.Job.Endpoint, entry.Job.Headers, id, entry.Job.Token)
			if err != nil {
				a.world.failf("delivering job %s: %v", id, err)
				entry.Close()
				continue
			}
			if err := job.Deliver(a.alive, entry, session, a.world.logger); err == nil {
				a.setHeld(id, false)
			}
		}
		pause(a.alive, deliverEvery)
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// runJob runs a job as package job does, with a wait as its process. After kill it
// does nothing more, and the spool keeps what is in it.
func (a *agent) runJob(ctx context.Context, accepted wire.Job) (job.Result, error) {
	session, started := a.session.Job(accepted), time.Now()
	a.setRunning(accepted.ID)
	defer a.setRunning("")
	entry, err := a.spool.Create(spool.Job{
		ID: accepted.ID, Token: accepted.Token, Endpoint: a.session.Endpoint(), ChunkMaxSize: max(accepted.ChunkMaxSize, 1), StartedAt: started,
	})
	if err != nil {
		a.world.failf("spool: %v", err)
		return job.Result{}, job.ErrAbandoned
	}
	keep := true
	defer func() {
		if keep {
			entry.Close()
		} else if err := entry.Remove(); err != nil {
			a.world.failf("spool: %v", err)
		}
	}()
	result := wire.FinishRequest{ExitStatus: wire.ExitStatusNeverRan, SignalReason: wire.ReasonAgentStop}
	if err := session.Start(ctx, started); err != nil {
		if ctx.Err() == nil {
			keep = false
			return job.Result{}, fmt.Errorf("%w: %w", job.ErrAbandoned, err)
		}
	} else {
		a.world.started(accepted.ID, a.name)
		result = a.process(ctx, accepted, session)
	}
	if a.alive.Err() != nil {
		return job.Result{}, errKilled
	}
	if err := entry.SetResult(spool.Result{FinishRequest: result}); err != nil {
		a.world.failf("spool: %v", err)
	}
	a.world.ended(accepted.ID, result)
	finishCtx, cancel := context.WithTimeout(a.alive, finishTimeout)
	defer cancel()
	err = session.Finish(finishCtx, result)
	keep = err != nil && !errors.Is(err, wire.ErrRefused)
	if keep {
		a.setHeld(accepted.ID, true)
		err = fmt.Errorf("%w: %w", job.PhaseFinish, err)
	}
	return job.Result{FinishRequest: result}, err
}

// finishTimeout is how long the delivery of a result keeps a worker from other work.
const finishTimeout = 10 * time.Minute

// process is the command of a job: it takes as long as its variable TAKES, unless the
// control plane or the agent ends it.
func (a *agent) process(ctx context.Context, accepted wire.Job, session *transport.JobSession) wire.FinishRequest {
	takes, err := time.ParseDuration(accepted.Env["TAKES"])
	if err != nil {
		a.world.failf("job %s has no duration: %v", accepted.ID, err)
	}
	result := wire.FinishRequest{ExitStatus: accepted.Env["EXIT"]}
	stop := func(reason string) wire.FinishRequest {
		return wire.FinishRequest{ExitStatus: wire.ExitStatusNeverRan, Signal: "SIGTERM", SignalReason: reason}
	}
	over := time.After(takes)
	var limit <-chan time.Time
	if accepted.TimeoutSeconds > 0 {
		limit = time.After(time.Duration(accepted.TimeoutSeconds) * time.Second)
	}
	status := time.NewTicker(statusInterval)
	defer status.Stop()
	for {
		select {
		case <-over:
			return result
		case <-limit:
			return stop(wire.ReasonTimedOut)
		case <-ctx.Done():
			return stop(wire.ReasonAgentStop)
		case <-status.C:
		}
		switch state, err := session.State(ctx); {
		case errors.Is(err, wire.ErrTokenInvalid):
			return stop(wire.ReasonCancel)
		case err != nil:
		case state == wire.StateCanceling || state == wire.StateCanceled:
			return stop(wire.ReasonCancel)
		case state == wire.StateTimingOut:
			return stop(wire.ReasonTimedOut)
		}
	}
}
