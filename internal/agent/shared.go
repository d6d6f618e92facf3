package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// shared is what the workers of one agent share while they run.
type shared struct {
	transport *transport.Transport
	epoch     time.Time // a random moment, which heartbeats are whole parts of an interval away from
	observe   func(fsm.Record)
	job       job.Options // the config's, with what this process has opened for jobs
	idle      *idleClock
	held      *heldJobs
	machines  *machines
	closers   []func()
}

func (s *shared) onClose(f func()) { s.closers = append(s.closers, f) }

// close closes what was opened, the last opened first.
func (s *shared) close() {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
}

func (a *Agent) openTransport(_ context.Context, s *shared) (err error) {
	c := &a.config
	s.transport, err = transport.New(transport.Options{
		Endpoints: c.Endpoints, StreamPath: c.StreamPath, Groups: c.groups(),
		UserAgent: "switchyard/" + c.Version, TLS: c.TLS, CurrentTLS: c.CurrentTLS,
		Headers: c.Headers, Logger: c.Logger, HeldJobs: s.held.of, Machine: s.machines.of,
	})
	if err == nil {
		s.onClose(s.transport.Close)
	}
	return err //nolint:wrapcheck // it names the endpoint
}

func (a *Agent) openTransitionLog(_ context.Context, s *shared) error {
	c := &a.config
	if c.TransitionLog == "" {
		return nil
	}
	log, err := telemetry.OpenTransitionLog(c.TransitionLog, c.TransitionLogSize, c.Version, c.Logger)
	if err != nil {
		return err //nolint:wrapcheck // it names the log
	}
	s.onClose(log.Close)
	s.observe = func(r fsm.Record) {
		c.Observe(r)
		log.Record(r)
	}
	return nil
}

// openHistory opens the history. The agent runs without one, too.
func (a *Agent) openHistory(_ context.Context, s *shared) error {
	c := &a.config
	if c.History == "" {
		return nil
	}
	history, err := telemetry.OpenHistory(c.History, c.Version, c.Logger)
	if err != nil {
		c.Logger.Warn("history not kept; agent history does not have this agent", zap.Error(err))
		return nil
	}
	s.onClose(history.Close)
	a.mu.Lock()
	a.history = history
	a.mu.Unlock()
	observe := s.observe
	s.observe = func(r fsm.Record) {
		observe(r)
		history.Record(r)
	}
	return nil
}

// openSpool opens the spool and starts the delivery of undelivered results. What
// is not delivered when the agent ends, the next agent delivers.
func (a *Agent) openSpool(ctx context.Context, s *shared) (err error) {
	if a.config.SpoolPath == "" {
		return nil
	}
	if s.job.Spool, err = spool.Open(a.config.SpoolPath, a.config.Logger); err != nil {
		return err //nolint:wrapcheck // it names the spool
	}
	s.onClose(func() {
		if err := s.job.Spool.Close(); err != nil {
			a.config.Logger.Warn("spool not closed", zap.Error(err))
		}
	})
	ctx, cancel := context.WithCancel(ctx)
	var delivery sync.WaitGroup
	u := undelivered{s.job.Spool, s.transport, s.held, a.config.Logger}
	u.list() // before the first worker registers, whose calls name what it finds
	delivery.Go(func() { u.run(ctx) })
	s.onClose(func() {
		cancel()
		delivery.Wait()
	})
	return nil
}

// openJobFolders cleans up what killed agents left in the build path, claims the path
// for this agent, and opens the socket for the commands of jobs. Jobs run without any of
// these, too.
func (a *Agent) openJobFolders(_ context.Context, s *shared) error {
	for _, limit := range process.Unsupported() {
		a.config.Logger.Warn("limited on this system", zap.String("limit", limit))
	}
	if s.job.BuildPath != "" { // else each job fails with this reason
		a.claimBuildPath(s)
		inherited, err := job.NewInherited(s.job.Settings)
		if err != nil {
			return fmt.Errorf("settings of jobs: %w", err)
		}
		s.job.Inherited = inherited
	}
	if err := a.openCgroups(s); err != nil {
		return err
	}
	s.job.Cleaner = job.NewCleaner()
	s.onClose(s.job.Cleaner.Close)
	links, err := joblink.Listen()
	if err != nil {
		return nil //nolint:nilerr // each job tries, and logs the error
	}
	s.job.Links = links
	s.onClose(links.Close)
	if err := s.job.Claim.AddSocketDir(links.Dir()); err != nil {
		a.config.Logger.Warn("folder of the socket not recorded; if this agent is killed, it is not removed", zap.Error(err))
	}
	return nil
}

// openCgroups opens the control groups of jobs. Without the right to make them, jobs run
// without, unless they have limits.
func (a *Agent) openCgroups(s *shared) error {
	limited := s.job.Limits != (wire.Limits{})
	if s.job.Claim == nil {
		if limited {
			return errors.New("limits of jobs need a build path that can be claimed")
		}
		return nil
	}
	cgroups, err := process.OpenCgroups(s.job.Claim.ID(), process.Limits(s.job.Limits), a.config.Logger)
	if err != nil && limited {
		return fmt.Errorf("limits of jobs cannot be kept: %w", err)
	}
	if err != nil {
		a.config.Logger.Debug("jobs run without control groups", zap.Error(err))
		return nil
	}
	s.job.Cgroups = cgroups
	s.onClose(func() {
		if err := cgroups.Close(); err != nil {
			a.config.Logger.Warn("control group not removed", zap.Error(err))
		}
	})
	if err := s.job.Claim.AddCgroup(cgroups.Dir()); err != nil {
		a.config.Logger.Warn("control group not recorded; if this agent is killed, it is not removed", zap.Error(err))
	}
	return nil
}

func (a *Agent) claimBuildPath(s *shared) {
	log := a.config.Logger
	claim, err := workspace.ClaimBuildPath(s.job.BuildPath, s.job.Cleanup, joblink.IsDir, log)
	if err != nil {
		log.Warn("build path not claimed; if this agent is killed, what its jobs leave is not cleaned up", zap.Error(err))
		return
	}
	s.job.Claim = claim
	s.onClose(func() {
		if err := claim.Close(); err != nil {
			log.Warn("claim of the build path not released", zap.Error(err))
		}
	})
}
