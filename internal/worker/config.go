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
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// FirstMessageDeadline is how long a new stream is trusted before its first
// message.
const FirstMessageDeadline = 10 * time.Second

// RunJob runs an accepted job to its end and reports it to the control plane. It
// cancels the job when the context ends. An error that wraps job.ErrAbandoned
// means that the job was not started.
type RunJob func(context.Context, wire.Job) (job.Result, error)

// Config configures a worker.
type Config struct {
	// Name is the worker's name, for people.
	Name string
	// Session is the worker's registered identity. Required.
	Session *transport.Session
	// Machine is the configuration of the worker's machine.
	Machine fsm.Config
	// RunJob runs a job. Required.
	RunJob RunJob
	// Heartbeat is the time between two heartbeats, at least a second. Required.
	Heartbeat time.Duration
	// HeartbeatAt is a moment at which a heartbeat is sent, in the past or the future; the
	// others are whole intervals away. Zero means a random moment.
	HeartbeatAt time.Time
	// SilenceLimit is how long a stream is trusted without a message, and
	// StreamProtocol is its protocol; see transport.StreamOptions.
	SilenceLimit   time.Duration
	StreamProtocol transport.StreamProtocol
	// Uptime is the time after which the worker leaves. Zero means no limit.
	Uptime time.Duration
	// Observe is called with every event and the machine's answer, in order, by
	// the goroutine that owns the machine: it must return quickly. Optional.
	Observe func(fsm.Record)
	// Rand is the source of jitter. Nil means one with a random seed.
	Rand *rand.Rand
	// Logger receives changes of state and failures. Nil means no log.
	Logger *zap.Logger
}

func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Session == nil:
		return c, errors.New("worker: Session is nil, and must be a registered session")
	case c.RunJob == nil:
		return c, errors.New("worker: RunJob is nil, and must run a job")
	case c.Heartbeat < time.Second:
		return c, fmt.Errorf("worker: Heartbeat is %v, and must be at least 1s", c.Heartbeat)
	case c.Uptime < 0:
		return c, fmt.Errorf("worker: Uptime is %v, and must not be negative", c.Uptime)
	}
	if c.Observe == nil {
		c.Observe = func(fsm.Record) {}
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) //nolint:gosec // jitter is not a secret
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c, nil
}
