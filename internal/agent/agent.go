// Package agent is the daemon that runs workers on one machine: it registers
// them, shares the connections among them, and ends when they have all left.
package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// Agent runs the workers of one machine. Run is called once; Drain and Force
// may be called at any time, concurrently, and more than once.
type Agent struct {
	Config

	hostname string

	mu      sync.Mutex
	workers []*worker.Worker
	request func(*worker.Worker) // what was asked of the agent last, if anything
	// asked ends with the first drain or force, for the workers that are still
	// being registered.
	asked  context.Context //nolint:containedctx // a signal, not the context of a call
	settle context.CancelFunc
}

// New returns an agent that is ready to run. It returns an error that names the
// field of the config that is wrong, if any.
func New(c Config) (*Agent, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("agent: finding the host's name: %w", err)
	}
	c, err = c.withDefaults(hostname)
	if err != nil {
		return nil, err
	}
	asked, settle := context.WithCancel(context.Background())
	return &Agent{Config: c, hostname: hostname, asked: asked, settle: settle}, nil
}

// Drain asks every worker to finish what it runs and to leave.
func (a *Agent) Drain() { a.ask((*worker.Worker).Drain) }

// Force asks every worker to cancel what it runs and to leave.
func (a *Agent) Force() { a.ask((*worker.Worker).Force) }

func (a *Agent) ask(request func(*worker.Worker)) {
	a.settle()
	a.mu.Lock()
	a.request = request
	workers := a.workers
	a.mu.Unlock()
	for _, w := range workers {
		request(w)
	}
}

// Run registers the workers, runs them, and returns when the last one has left.
// The error joins those of the workers that could not go on, and wraps
// worker.ErrLeft then; it is the context's cause when that ended, which cancels
// everything at once, jobs included.
func (a *Agent) Run(ctx context.Context) error {
	defer a.settle()
	wire, err := transport.New(transport.Options{
		Endpoint: a.Endpoint, UserAgent: "switchyard/" + a.Version, TLS: a.TLS, Headers: a.Headers, Logger: a.Logger,
	})
	if err != nil {
		return fmt.Errorf("agent: %w", err)
	}
	defer wire.Close()

	if a.TransitionLog != "" {
		log, err := telemetry.OpenTransitionLog(a.TransitionLog, a.TransitionLogSize, a.Version, a.Logger)
		if err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		defer log.Close()
		observe := a.Observe
		a.Observe = func(r fsm.Record) {
			observe(r)
			log.Record(r)
		}
	}

	if a.SpoolPath != "" {
		kept, err := spool.Open(a.SpoolPath, a.Logger)
		if err != nil {
			return fmt.Errorf("agent: %w", err)
		}
		a.Job.Spool = kept
		var delivering sync.WaitGroup
		defer delivering.Wait()
		owing, end := context.WithCancel(ctx)
		defer end() // what is owed then, the next agent delivers
		delivering.Go(func() { deliverOwed(owing, kept, wire, a.Logger) })
	}

	// Without one each job tries, and says in its log why it cannot.
	if folder, err := joblink.Folder(); err == nil {
		defer func() { _ = os.RemoveAll(folder) }()
		a.Job.SocketFolder = folder
	}

	idle := newIdleClock(a.DisconnectAfterIdle, a.Spawn, func() {
		a.Logger.Info("all workers were idle for long enough", zap.Duration("limit", a.DisconnectAfterIdle))
		for _, w := range a.running() {
			w.ExpireIdle()
		}
	})
	defer idle.stop()
	onIdle := idle.set
	if a.DisconnectAfterIdle == 0 {
		onIdle = func(bool) {}
	}

	defer a.claimBuilds()()
	errs := make([]error, a.Spawn)
	var workers sync.WaitGroup
	for i := range a.Spawn {
		workers.Go(func() { errs[i] = a.runWorker(ctx, wire, i, onIdle) })
	}
	workers.Wait()
	return joinOnce(errs)
}

// joinOnce joins errors as errors.Join does, those that say the same once: a
// wrong token fails every worker for one reason.
func joinOnce(errs []error) error {
	said := map[string]bool{}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil {
			return true
		}
		again := said[err.Error()]
		said[err.Error()] = true
		return again
	})...)
}

// running returns the workers that were registered so far.
func (a *Agent) running() []*worker.Worker {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.workers
}

// History returns the last events of every worker with what its machine answered,
// at most worker.HistorySize of each, oldest first within a worker. It may be
// called at any time.
func (a *Agent) History() []fsm.Record {
	var records []fsm.Record
	for _, w := range a.running() {
		records = append(records, w.History()...)
	}
	return records
}

// runWorker registers one worker and runs it until it leaves.
func (a *Agent) runWorker(ctx context.Context, wire *transport.Transport, i int, onIdle func(bool)) error {
	defer onIdle(true) // one that has left keeps nobody
	name := a.Name
	if a.Spawn > 1 {
		name += "-" + strconv.Itoa(i+1)
	}
	w, logger, err := a.register(ctx, wire, name, onIdle)
	if err != nil {
		if a.asked.Err() != nil && ctx.Err() == nil {
			return nil // asked to leave before it had come
		}
		return err
	}
	a.mu.Lock()
	a.workers = append(slices.Clip(a.workers), w)
	request := a.request
	a.mu.Unlock()
	if request != nil {
		request(w)
	}
	why, err := w.Run(ctx)
	if err != nil {
		return fmt.Errorf("worker %s: %w", name, err)
	}
	logger.Info("left", zap.Stringer("reason", why))
	return nil
}

func (a *Agent) register(
	ctx context.Context, wire *transport.Transport, name string, onIdle func(bool),
) (*worker.Worker, *zap.Logger, error) {
	registering, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.asked, cancel)()
	session, answer, err := wire.Register(registering, a.Token, transport.RegisterRequest{
		Name: name, Hostname: a.hostname, OS: runtime.GOOS, Arch: runtime.GOARCH,
		ScriptEvalEnabled: true, IgnoreInDispatches: a.Mode == fsm.Acquire,
		Version: a.Version, Build: a.Version, PID: os.Getpid(),
		Tags: append([]string{"queue=" + a.Queue}, a.Tags...), Features: a.features(),
	})
	if err != nil {
		if transport.Refused(err) {
			err = fmt.Errorf("%w; look at the registration token", err)
		}
		return nil, nil, fmt.Errorf("%s: %w", a.Endpoint, err)
	}
	logger := a.Logger.With(zap.String("worker", name), zap.String("id", session.ID()))
	logger.Info("registered", zap.String("endpoint", session.Endpoint()), zap.String("queue", a.Queue))
	options := a.Job
	options.StatusInterval = answer.JobStatusInterval
	options.Secrets = append(slices.Clone(options.Secrets), a.Token, session.Token())
	w, err := worker.New(worker.Config{
		Session: session,
		Machine: fsm.Config{
			Mode: a.Mode, RetireAfterJob: a.DisconnectAfterJob, AcquireJob: fsm.JobID(a.AcquireJob),
		},
		Heartbeat: answer.HeartbeatInterval,
		Stream:    transport.StreamOptions{SilenceLimit: a.SilenceLimit, Protocol: a.StreamProtocol},
		Uptime:    a.DisconnectAfterUptime,
		Job:       options,
		Observe:   a.Observe,
		Idle:      onIdle,
		Logger:    logger,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	return w, logger, nil
}
