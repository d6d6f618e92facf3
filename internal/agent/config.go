package agent

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// DefaultEndpoint is our own control plane on this machine.
	DefaultEndpoint = "http://127.0.0.1:7420/v3"
	// DefaultQueue is the queue of a worker that names none.
	DefaultQueue = "default"
	// MaxSpawn bounds the workers of one agent.
	MaxSpawn = 1000
)

// Config says how an agent behaves.
type Config struct {
	// Endpoint is the base URL of the control plane's REST API. Empty means
	// DefaultEndpoint.
	Endpoint string
	// Token is the registration token. Required.
	Token string
	// TLS is for https endpoints; nil means the system's roots.
	TLS *tls.Config
	// Headers are Buildkite-* headers to send until the control plane asks for
	// others.
	Headers http.Header

	// Name is the workers' name; with several workers each gets a number behind
	// it. Empty means the host's name.
	Name string
	// Queue is the queue to serve. Empty means DefaultQueue.
	Queue string
	// Tags are more tags, each key=value.
	Tags []string
	// Spawn is how many workers to run, 1 to MaxSpawn; zero means 1.
	Spawn int

	// Mode is by which ways the workers may get work; see AcquireJob.
	Mode fsm.Mode
	// AcquireJob is the id of the one job to run, if the agent is to run one and
	// leave. Spawn must be 1 then, and Mode is not looked at.
	AcquireJob string
	// DisconnectAfterJob makes each worker leave after one job.
	DisconnectAfterJob bool
	// DisconnectAfterIdle is how long all workers may be without work before
	// they leave. Zero is for ever.
	DisconnectAfterIdle time.Duration
	// DisconnectAfterUptime is how long the workers stay at most. Zero is for
	// ever.
	DisconnectAfterUptime time.Duration
	// SilenceLimit is how long a stream may go without a message; see
	// transport.StreamOptions.
	SilenceLimit time.Duration

	// StreamProtocol is the protocol of the stream; see transport.StreamOptions.
	StreamProtocol transport.StreamProtocol

	// Job are the settings for every job. Job.Spool is the agent's business.
	Job job.Options
	// SpoolPath is the folder that keeps what is owed to the control plane; see
	// spool.Open. Empty means that nothing is kept beyond this process.
	SpoolPath string
	// Version is this program's version, told to the control plane.
	Version string
	// Observe is told of every event of every worker; see worker.Config.
	Observe func(fsm.Record)
	// TransitionLog is the file to which the workers' machines are logged; see
	// telemetry.OpenTransitionLog. Empty means none. TransitionLogSize is its size
	// in bytes; zero means telemetry.DefaultTransitionLogSize.
	TransitionLog     string
	TransitionLogSize int64
	// Logger receives what happens. Nil logs nothing.
	Logger *zap.Logger
}

func (c Config) withDefaults(hostname string) (Config, error) {
	if c.Endpoint == "" {
		c.Endpoint = DefaultEndpoint
	}
	if c.Name == "" {
		c.Name = hostname
	}
	if c.Queue == "" {
		c.Queue = DefaultQueue
	}
	if c.Spawn == 0 {
		c.Spawn = 1
	}
	if c.Observe == nil {
		c.Observe = func(fsm.Record) {}
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.AcquireJob != "" {
		c.Mode = fsm.Acquire
	}
	return c, c.validate()
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

// features names what is in use of what an agent can do, in the words of the
// agents' wire.
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
