package controlplane

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// Defaults of Config, and the bounds that Validate holds it to.
const (
	// DefaultListen is the loopback address on which agents look for a control
	// plane by default.
	DefaultListen = "127.0.0.1:7420"

	// DefaultPingInterval is how often a worker that polls asks for work.
	DefaultPingInterval = 2 * time.Second
	// DefaultHeartbeatInterval is how often a worker says that it is alive: three
	// times in a lease. Each is a request, and the greater part of what an idle
	// agent of many workers does.
	DefaultHeartbeatInterval = 30 * time.Second
	// DefaultJobStatusInterval is how often a worker asks whether its job was
	// cancelled, and so how long a cancellation takes to arrive.
	DefaultJobStatusInterval = time.Second
	// DefaultAssignTimeout is how long an assigned job waits to be accepted.
	DefaultAssignTimeout = schedule.DefaultAssignTimeout
	// DefaultLeaseTimeout is how long a worker may be silent before it is lost.
	DefaultLeaseTimeout = schedule.DefaultLeaseTimeout
	// DefaultKeepAlive is how long a stream is left without a message.
	DefaultKeepAlive = 30 * time.Second
	// DefaultStreamMaxAge is the age at which a stream is ended as planned, so
	// that streams move to replicas that joined later.
	DefaultStreamMaxAge = 30 * time.Minute

	// The wire carries these intervals as whole seconds, and an agent by others
	// fails on a zero.
	minWireInterval = time.Second
	maxInterval     = 24 * time.Hour
)

// Config says where the control plane listens, where it keeps its data, and how
// it paces its agents. The zero value with WithDefaults applied is complete.
type Config struct {
	// Listen is host:port. Port 0 takes any free port. The host must be named:
	// 127.0.0.1 for this machine alone, 0.0.0.0 or [::] for every network.
	Listen string
	// DataDir holds the store, the tokens and the lock. It is made, with mode
	// 0700, where it does not exist. Empty is the user's state directory.
	DataDir string
	// NATSURL names a NATS cluster to keep everything in. Empty is a store
	// embedded in this process, with its files in DataDir. Replicas on one
	// cluster must be given the same tokens.
	NATSURL string
	// TLSCertFile and TLSKeyFile are PEM files; both or neither.
	TLSCertFile, TLSKeyFile string
	// RegistrationToken lets an agent register, AdminToken lets people and
	// programs call switchyard.v1. Either is a token in clear, or "sha256:" and
	// its hash in hexadecimal. Empty is the file of that name in DataDir, which
	// is made with a random token where it does not exist.
	RegistrationToken, AdminToken string

	// PingInterval, HeartbeatInterval and JobStatusInterval are told to agents
	// when they register: whole seconds, one at least.
	PingInterval, HeartbeatInterval, JobStatusInterval time.Duration
	// AssignTimeout is how long an assigned job waits to be accepted before it
	// goes back to its queue.
	AssignTimeout time.Duration
	// LeaseTimeout is how long a worker may be silent before it is lost; longer
	// than HeartbeatInterval.
	LeaseTimeout time.Duration
	// KeepAlive is how long a stream is left without a message before the
	// standing instruction is sent anew.
	KeepAlive time.Duration
	// StreamMaxAge is the age at which a stream is ended as planned; each stream
	// ends at a random moment in the last fifth of it.
	StreamMaxAge time.Duration
	// NoStream switches the stream off: the endpoint returns Unimplemented, and
	// agents poll.
	NoStream bool

	// Wrap, where it is not nil, is put around the handler of everything that the
	// port serves, to observe requests as they arrive and answers as they are
	// written. It sees tokens, and must pass on what the ResponseWriter can do
	// (http.Flusher, http.ResponseController).
	Wrap func(http.Handler) http.Handler

	// Logger receives the server's log; nil is none. Tokens are never logged.
	Logger *zap.Logger
}

// WithDefaults returns c with every empty field filled in.
func (c Config) WithDefaults() Config {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.DataDir == "" {
		c.DataDir, _ = datadir.Default() // Validate reports an empty one
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.PingInterval, DefaultPingInterval},
		{&c.HeartbeatInterval, DefaultHeartbeatInterval},
		{&c.JobStatusInterval, DefaultJobStatusInterval},
		{&c.AssignTimeout, DefaultAssignTimeout},
		{&c.LeaseTimeout, DefaultLeaseTimeout},
		{&c.KeepAlive, DefaultKeepAlive},
		{&c.StreamMaxAge, DefaultStreamMaxAge},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	return c
}

// Validate reports every field that is out of its bounds, by name.
func (c Config) Validate() error {
	return errors.Join(
		validateListen(c.Listen),
		required("data directory", c.DataDir),
		validateNATSURL(c.NATSURL),
		c.validateTLS(),
		validateToken("registration token", c.RegistrationToken),
		validateToken("admin token", c.AdminToken),
		wholeSeconds("ping interval", c.PingInterval),
		wholeSeconds("heartbeat interval", c.HeartbeatInterval),
		wholeSeconds("job status interval", c.JobStatusInterval),
		positive("assign timeout", c.AssignTimeout),
		positive("lease timeout", c.LeaseTimeout),
		positive("keep-alive", c.KeepAlive),
		positive("stream maximum age", c.StreamMaxAge),
		c.validateLease(),
	)
}

func (c Config) validateTLS() error {
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		return errors.New("TLS: a certificate file and a key file are needed together; only one is given")
	}
	return nil
}

func (c Config) validateLease() error {
	if c.LeaseTimeout <= c.HeartbeatInterval {
		return fmt.Errorf("lease timeout is %v: it must be longer than the heartbeat interval, %v",
			c.LeaseTimeout, c.HeartbeatInterval)
	}
	return nil
}

func validateListen(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q is not host:port", listen)
	}
	if host == "" {
		return fmt.Errorf("listen address %q names no host: say 127.0.0.1:%s for this machine alone, or 0.0.0.0:%s for every network",
			listen, port, port)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen address %q: the port must be a number from 0 to 65535", listen)
	}
	return nil
}

func validateNATSURL(raw string) error {
	if raw == "" {
		return nil
	}
	// The URL may hold a password, so neither it nor url.Parse's error is shown.
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return errors.New("NATS URL must look like nats://HOST:4222")
	}
	return nil
}

func required(name, value string) error {
	if value == "" {
		return fmt.Errorf("%s must not be empty", name)
	}
	return nil
}

func positive(name string, d time.Duration) error {
	if d <= 0 || d > maxInterval {
		return fmt.Errorf("%s is %v: it must be more than 0 and at most %v", name, d, maxInterval)
	}
	return nil
}

func wholeSeconds(name string, d time.Duration) error {
	if d < minWireInterval || d > maxInterval || d%time.Second != 0 {
		return fmt.Errorf("%s is %v: it must be whole seconds, from %v to %v", name, d, minWireInterval, maxInterval)
	}
	return nil
}
