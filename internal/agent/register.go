package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

// register registers one worker. It returns the worker and its logger.
func (a *Agent) register(ctx context.Context, s *shared, name string, index int) (*worker.Worker, *zap.Logger, error) {
	c := &a.config
	registerCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.draining, cancel)()
	session, err := s.transport.Register(registerCtx, a.token, wire.RegisterRequest{
		Name: name, Hostname: a.hostname, OS: runtime.GOOS, Arch: runtime.GOARCH,
		ScriptEvalEnabled: true, IgnoreInDispatches: c.Mode == fsm.Acquire,
		Version: c.Version, Build: c.Version, PID: os.Getpid(),
		Tags: append([]string{wire.QueueTag + c.Queue}, c.Tags...), Features: c.features(),
	})
	if err != nil {
		// Another refusal names the field that is wrong.
		if status, ok := errors.AsType[*transport.StatusError](err); ok && status.Code == http.StatusUnauthorized {
			err = fmt.Errorf("%w; check the registration token", err)
		}
		return nil, nil, fmt.Errorf("%s: %w", strings.Join(c.Endpoints, ", "), err)
	}
	logger := c.Logger.With(zap.String("worker_id", session.ID()), zap.String("worker_name", name))
	logger.Info("registered", zap.String("endpoint", session.Endpoint()), zap.String("queue", c.Queue))
	options := s.job
	options.StatusInterval = session.JobStatusInterval()
	options.Stop = a.stop
	options.Logger = logger
	w, err := worker.New(worker.Config{
		Name:    name,
		Session: session,
		Machine: fsm.Config{
			Mode: c.Mode, RetireAfterJob: c.DisconnectAfterJob, AcquireJob: fsm.JobID(c.AcquireJob),
		},
		RunJob:         a.runJob(s, session, options),
		Heartbeat:      session.HeartbeatInterval(),
		HeartbeatAt:    heartbeatAt(s.epoch, index, session.HeartbeatInterval()),
		SilenceLimit:   c.SilenceLimit,
		StreamProtocol: c.StreamProtocol,
		Uptime:         c.DisconnectAfterUptime,
		Observe: s.idle.observe(func(r fsm.Record) {
			s.machines.observe(r)
			s.observe(r)
		}),
		Logger: logger,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	return w, logger, nil
}

// runJob returns the function that runs an accepted job of a worker.
func (a *Agent) runJob(
	s *shared, session *transport.Session, options job.Options,
) func(context.Context, wire.Job) (job.Result, error) {
	return func(ctx context.Context, accepted wire.Job) (job.Result, error) {
		spec := job.Spec{Job: accepted, ReportEndpoint: session.Endpoint(), Headers: session.RequestHeaders()}
		jobSession := session.Job(accepted)
		jobSession.LastJob = a.config.DisconnectAfterJob
		options := options
		options.Secrets = append(slices.Clip(a.allTokens()), session.Token())
		s.held.begin(session.ID(), accepted.ID)
		result, err := job.Run(ctx, spec, jobSession, options)
		if !errors.Is(err, job.ErrAbandoned) {
			a.config.JobEnded(result)
		}
		s.held.end(session.ID(), errors.Is(err, job.PhaseFinish) && !errors.Is(err, wire.ErrRefused))
		return result, err //nolint:wrapcheck // it names the phase that failed
	}
}

// heartbeatMoments is how many moments in an interval the workers of an agent share for
// their heartbeats. Each one wakes the process, and the control plane gets the heartbeats of
// one together.
const heartbeatMoments = 4

// heartbeatAt returns a moment of the heartbeats of a worker. epoch is a random moment of
// this process.
func heartbeatAt(epoch time.Time, index int, interval time.Duration) time.Time {
	return epoch.Add(interval * time.Duration(index%heartbeatMoments) / heartbeatMoments)
}

// features returns the names of the features that are in use, as the protocol
// names them.
func (c Config) features() []string {
	features := []string{"no-plugins"} // a job's plugins are never run
	for _, feature := range []struct {
		name  string
		inUse bool
	}{
		{"streaming-pings", c.Mode != fsm.PollOnly},
		{"acquire-job", c.AcquireJob != ""},
		{"disconnect-after-job", c.DisconnectAfterJob},
		{"disconnect-after-idle", c.DisconnectAfterIdle > 0},
		{"disconnect-after-uptime", c.DisconnectAfterUptime > 0},
	} {
		if feature.inUse {
			features = append(features, feature.name)
		}
	}
	return features
}
