// Package agent is the daemon that runs workers on one machine: it registers
// them, opens what they share, and ends when all of them have left.
package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// Agent runs the workers of one machine. Run is called once; the other methods
// may be called at any time, concurrently, and more than once.
type Agent struct {
	config   Config
	hostname string

	// draining ends at the first Drain or Force, forced at the first Force.
	draining, forced context.Context //nolint:containedctx // signals, not contexts of calls
	drain, force     context.CancelFunc
	stop             *job.Stop // begins with them
	started          time.Time
	machines         *machines

	mu      sync.Mutex
	workers []*worker.Worker   // registered so far
	held    *heldJobs          // nil before Run
	history *telemetry.History // nil before Run, and if there is none
	tokens  []string           // the registration tokens so far; the last one is in use
}

// New returns an agent that is ready to run. An error names the invalid field of
// the config.
func New(c Config) (*Agent, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("agent: reading the host name: %w", err)
	}
	c, err = c.withDefaults(hostname)
	if err != nil {
		return nil, err
	}
	a := &Agent{config: c, hostname: hostname, stop: job.NewStop(), tokens: []string{c.Token}, started: time.Now(), machines: newMachines()}
	a.draining, a.drain = context.WithCancel(context.Background())
	a.forced, a.force = context.WithCancel(context.Background())
	return a, nil
}

// Drain asks every worker to finish its job and leave.
func (a *Agent) Drain() {
	a.stop.Begin()
	a.drain()
}

// Force asks every worker to cancel its job and leave.
func (a *Agent) Force() {
	a.stop.Begin()
	a.force()
	a.drain()
}

// SetToken replaces the registration token, for workers that are not registered yet,
// and reports whether it differs from the one before. An empty token is ignored. All
// tokens stay hidden in the logs of jobs.
func (a *Agent) SetToken(token string) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if token == "" || token == a.tokens[len(a.tokens)-1] {
		return false
	}
	a.tokens = append(slices.Clip(a.tokens), token)
	return true
}

// token returns the registration token in use.
func (a *Agent) token() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens[len(a.tokens)-1]
}

// allTokens returns the registration tokens so far.
func (a *Agent) allTokens() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tokens
}

// killWait is how long processes may take to end after SIGKILL.
const killWait = 5 * time.Second

// Kill kills the processes of all jobs, for a program that exits at once. No process
// is started after that.
func (a *Agent) Kill() {
	if err := a.config.Reaper.KillAll(killWait); err != nil {
		a.config.Logger.Error("processes of jobs not killed; the next start tries again", zap.Error(err))
	}
}

// Alive returns nil if the loop of each worker goes on, and else the error of the first one
// that does not respond until ctx ends.
func (a *Agent) Alive(ctx context.Context) error {
	for _, w := range a.registered() {
		if err := w.Probe(ctx); err != nil {
			return err //nolint:wrapcheck // it names the worker
		}
	}
	return nil
}

// SaveHistory writes the history of the workers to a new file, for fsm replay, and returns
// its path: all that the disk has of it, or the last events in memory if there is none.
func (a *Agent) SaveHistory() (path string, err error) {
	if h := a.openedHistory(); h != nil {
		return h.Save() //nolint:wrapcheck // it says what was attempted
	}
	return telemetry.SaveTransitions(a.config.Version, a.History()) //nolint:wrapcheck // as above
}

// FlushHistory writes to the history what is held back.
func (a *Agent) FlushHistory() {
	if h := a.openedHistory(); h != nil {
		h.Flush()
	}
}

func (a *Agent) openedHistory() *telemetry.History {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.history
}

// History returns the last events of every worker with the machine's answers,
// oldest first within a worker, at most worker.HistorySize of each.
func (a *Agent) History() []fsm.Record {
	var records []fsm.Record
	for _, w := range a.registered() {
		records = append(records, w.History()...)
	}
	return records
}

// registered returns the workers that were registered so far.
func (a *Agent) registered() []*worker.Worker {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.workers
}

// epochRange is longer than any interval of heartbeats.
const epochRange = time.Hour

// Run registers the workers, runs them, and returns when the last one has left.
// The error joins those of the workers that could not be registered, connected or
// continued; it is a wire.ErrRevoked if one was revoked. It is the context's cause when
// the context ended, which cancels everything at once, including jobs.
func (a *Agent) Run(ctx context.Context) error {
	epoch := time.Now().Add(-rand.N(epochRange)) //nolint:gosec // spreading load needs no secrecy
	s := &shared{epoch: epoch, observe: a.config.Observe, held: newHeldJobs(), machines: a.machines}
	a.mu.Lock()
	a.held = s.held
	a.mu.Unlock()
	s.job.Settings, s.job.Reaper, s.job.Tracing = a.config.Job, a.config.Reaper, a.config.Tracing
	defer s.close()
	for _, open := range []func(context.Context, *shared) error{
		a.openTransport, a.openTransitionLog, a.openHistory, a.openSpool, a.openJobFolders,
	} {
		if err := open(ctx, s); err != nil {
			return fmt.Errorf("agent: %w", err)
		}
	}
	s.idle = newIdleClock(a.config.DisconnectAfterIdle, a.config.Spawn, a.expireIdle)
	defer s.idle.stop()
	errs := make([]error, a.config.Spawn)
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() { errs[i] = a.runWorker(ctx, s, i) })
	}
	workers.Wait()
	return joinDistinct(errs)
}

func (a *Agent) expireIdle() {
	a.config.Logger.Info("all workers idle for too long; leaving", zap.Duration("after", a.config.DisconnectAfterIdle))
	for _, w := range a.registered() {
		w.ExpireIdle()
	}
}

// runWorker registers one worker and runs it until it leaves.
func (a *Agent) runWorker(ctx context.Context, s *shared, i int) error {
	defer s.idle.set(true) // a worker that has left does not keep the others
	name := a.config.Name
	if a.config.Spawn > 1 {
		name += "-" + strconv.Itoa(i+1)
	}
	w, logger, err := a.register(ctx, s, name, i)
	if err != nil {
		if a.draining.Err() != nil && ctx.Err() == nil {
			return nil // drained while it was registered
		}
		return err
	}
	a.mu.Lock()
	a.workers = append(slices.Clip(a.workers), w)
	all := len(a.workers) == a.config.Spawn
	a.mu.Unlock()
	if all {
		a.config.Registered()
	}
	defer context.AfterFunc(a.draining, w.Drain)()
	defer context.AfterFunc(a.forced, w.Force)()
	reason, err := w.Run(ctx)
	if status, ok := errors.AsType[*transport.StatusError](err); ok && status.Revoked {
		logger.Error("worker revoked; results and logs that were not delivered stay in the spool", zap.String("reason", status.Message))
		return fmt.Errorf("worker %s: %w", name, status)
	}
	if err != nil {
		return fmt.Errorf("worker %s: %w", name, err)
	}
	logger.Info("worker left", zap.Stringer("reason", reason))
	return nil
}

// joinDistinct joins errors as errors.Join does, without repeating a text: a
// wrong token fails every worker for the same reason.
func joinDistinct(errs []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || seen[err.Error()] {
			return true
		}
		seen[err.Error()] = true
		return false
	})...)
}
