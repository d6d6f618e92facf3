package agent

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// DefaultEndpoint is the endpoint of a control plane on this machine.
	DefaultEndpoint = "http://127.0.0.1:7420" + wire.Prefix
	// MaxSpawn is the largest number of workers of one agent.
	MaxSpawn = 1000

	// workersPerGroup is how many workers share connections, up to maxGroups groups:
	// enough to spread over a few replicas, and few connections for many workers.
	workersPerGroup = 8
	maxGroups       = 8
)

// Config configures an agent.
type Config struct {
	// Endpoints are base URLs of the control plane's REST API; several are replicas of
	// one control plane. Empty means DefaultEndpoint. StreamPath is the path below which
	// the stream is served there; see transport.Options.
	Endpoints  []string
	StreamPath string
	// Token is the registration token. Required. Agent.SetToken replaces it.
	Token string
	// TLS is for https endpoints; nil means the system's root certificates. CurrentTLS,
	// if it is set, is used in its place; see httpclient.Options.
	TLS        *tls.Config
	CurrentTLS func() *tls.Config
	// Headers are Buildkite-* headers to send until the control plane asks for
	// others.
	Headers http.Header

	// Name is the name of the worker; several workers get "-1", "-2" and so on
	// behind it. Empty means the host name.
	Name string
	// Queue is the queue to take jobs from. Empty means wire.DefaultQueue.
	Queue string
	// Tags are additional tags, each key=value.
	Tags []string
	// Spawn is the number of workers, 1 to MaxSpawn. Zero means 1.
	Spawn int

	// Mode is the way in which workers receive jobs. It is fsm.Acquire, whatever
	// is set here, if AcquireJob is set.
	Mode fsm.Mode
	// AcquireJob is the ID of the one job to run before leaving. Spawn must be 1
	// then. Empty means that jobs are assigned by the control plane.
	AcquireJob string
	// DisconnectAfterJob makes each worker leave after one job.
	DisconnectAfterJob bool
	// DisconnectAfterIdle is the time after which the workers leave if all of them
	// are idle. Zero means never.
	DisconnectAfterIdle time.Duration
	// DisconnectAfterUptime is the time after which each worker leaves. Zero means
	// never.
	DisconnectAfterUptime time.Duration
	// SilenceLimit is how long a stream is trusted without a message, and
	// StreamProtocol is its protocol; see transport.StreamOptions.
	SilenceLimit   time.Duration
	StreamProtocol transport.StreamProtocol

	// Job are the settings for every job.
	Job job.Settings
	// Reaper finds what jobs leave running; nil means that less is found. It is only
	// for a process that is an agent and nothing else.
	Reaper *process.Reaper
	// SpoolPath is the folder for undelivered results and logs; see spool.Open.
	// Empty means that they are lost when the process ends.
	SpoolPath string
	// Version is the version of this program, for the control plane.
	Version string
	// Observe is called with every event of every worker; see worker.Config.
	Observe func(fsm.Record)
	// Registered is called once, when all workers are registered. It must return quickly.
	// Nil is none.
	Registered func()
	// JobEnded is called with the result of every job that was started. It must return
	// quickly, and may be called concurrently. Nil is none.
	JobEnded func(job.Result)
	// TransitionLog is the file of the transition log, and TransitionLogSize its
	// size in bytes; see telemetry.OpenTransitionLog. Empty means no log.
	TransitionLog     string
	TransitionLogSize int64
	// History is the file of the history of the workers; see telemetry.OpenHistory. Empty
	// means none.
	History string
	// Tracing receives the spans of jobs; nil makes none.
	Tracing trace.TracerProvider
	// Logger receives what happens. Nil means no log.
	Logger *zap.Logger
}

func (c Config) withDefaults(hostname string) (Config, error) {
	if len(c.Endpoints) == 0 {
		c.Endpoints = []string{DefaultEndpoint}
	}
	if c.Name == "" {
		c.Name = hostname
	}
	if c.Queue == "" {
		c.Queue = wire.DefaultQueue
	}
	if c.Spawn == 0 {
		c.Spawn = 1
	}
	if c.Observe == nil {
		c.Observe = func(fsm.Record) {}
	}
	if c.Registered == nil {
		c.Registered = func() {}
	}
	if c.JobEnded == nil {
		c.JobEnded = func(job.Result) {}
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.AcquireJob != "" {
		c.Mode = fsm.Acquire
	}
	return c, c.validate()
}

// groups returns how many groups share connections.
func (c Config) groups() int {
	return min((c.Spawn+workersPerGroup-1)/workersPerGroup, maxGroups)
}

func (c Config) validate() error {
	switch {
	case c.Token == "":
		return errors.New("agent: Token is empty, and must be the control plane's registration token")
	case c.Spawn < 1 || c.Spawn > MaxSpawn:
		return fmt.Errorf("agent: Spawn is %d, and must be between 1 and %d", c.Spawn, MaxSpawn)
	case c.AcquireJob != "" && c.Spawn != 1:
		return fmt.Errorf("agent: Spawn is %d, and must be 1 with AcquireJob", c.Spawn)
	case c.Mode == fsm.Acquire && c.AcquireJob == "":
		return errors.New("agent: AcquireJob is empty, and must name a job in mode acquire")
	case c.DisconnectAfterIdle < 0:
		return fmt.Errorf("agent: DisconnectAfterIdle is %v, and must not be negative", c.DisconnectAfterIdle)
	case c.DisconnectAfterUptime < 0:
		return fmt.Errorf("agent: DisconnectAfterUptime is %v, and must not be negative", c.DisconnectAfterUptime)
	}
	for _, tag := range c.Tags {
		if key, _, ok := strings.Cut(tag, "="); !ok || key == "" {
			return fmt.Errorf("agent: Tags has %q, and every tag must be key=value", tag)
		}
		if strings.HasPrefix(tag, "queue=") {
			return fmt.Errorf("agent: Tags has %q; name the queue with Queue", tag)
		}
	}
	return nil
}
