package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// DefaultFirstMessageDeadline is how long a stream is trusted without having
	// spoken (design, rule 6 and rule 10).
	DefaultFirstMessageDeadline = 10 * time.Second

	// disconnectTimeout bounds the last call of a worker, whose retries would
	// hold up its leaving: the control plane notices the silence by itself.
	disconnectTimeout = 5 * time.Second
)

// RunJob runs one job to its end; job.Run is the one of production.
type RunJob func(context.Context, job.Spec, job.ControlPlane, job.Options) (job.Result, error)

// Config says how a worker behaves.
type Config struct {
	// Session is the worker's registered identity. Required.
	Session *transport.Session
	// Machine is the kind of worker.
	Machine fsm.Config
	// Heartbeat is the time between two heartbeats. Required, at least a second.
	Heartbeat time.Duration
	// FirstMessageDeadline is how long a stream is trusted without having
	// spoken. Zero means DefaultFirstMessageDeadline.
	FirstMessageDeadline time.Duration
	// Stream says how the stream behaves. Its field StreamOnly is set by the
	// mode.
	Stream transport.StreamOptions
	// Uptime is how long the worker stays at most. Zero is for ever.
	Uptime time.Duration
	// Job are the settings for every job.
	Job job.Options
	// RunJob runs a job. Nil means job.Run.
	RunJob RunJob
	// Observe is told of every answer of the machine, in order, by the goroutine
	// that owns it: it must be quick. Nil means nobody is told.
	Observe func(fsm.Record)
	// Idle is told, in the same way, when the worker begins and ceases to wait
	// for work that it would take. Nil means nobody is told.
	Idle func(idle bool)
	// Rand is where the jitter comes from. Nil means the runtime's source.
	Rand *rand.Rand
	// Logger receives every change of state and what failed. Nil logs nothing.
	Logger *zap.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Session == nil {
		return c, errors.New("worker: Session is nil, and must be a registered session")
	}
	if c.Heartbeat < time.Second {
		return c, fmt.Errorf("worker: Heartbeat is %v, and must be at least 1s", c.Heartbeat)
	}
	if c.Uptime < 0 {
		return c, fmt.Errorf("worker: Uptime is %v, and must not be negative", c.Uptime)
	}
	if c.FirstMessageDeadline == 0 {
		c.FirstMessageDeadline = DefaultFirstMessageDeadline
	}
	if c.FirstMessageDeadline < 0 {
		return c, fmt.Errorf("worker: FirstMessageDeadline is %v, and must not be negative", c.FirstMessageDeadline)
	}
	if c.RunJob == nil {
		c.RunJob = job.Run
	}
	if c.Observe == nil {
		c.Observe = func(fsm.Record) {}
	}
	if c.Idle == nil {
		c.Idle = func(bool) {}
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // jitter is no secret
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	c.Stream.StreamOnly = c.Machine.Mode == fsm.StreamOnly
	return c, nil
}
