package controlplane

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metrics"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// Defaults of Config.
const (
	// DefaultListen is the loopback address that agents and commands connect to by
	// default.
	DefaultListen = "127.0.0.1:7420"

	// DefaultPingInterval is how often a polling worker asks for work.
	DefaultPingInterval = 2 * time.Second
	// DefaultHeartbeatInterval is how often a worker sends a heartbeat: three times in
	// DefaultLeaseTimeout. An idle agent sends little else.
	DefaultHeartbeatInterval = 30 * time.Second
	// DefaultJobStatusInterval is how often a worker asks whether its job was
	// canceled, which is the longest delay of a cancellation.
	DefaultJobStatusInterval = time.Second
	// DefaultAssignTimeout is how long an assigned job waits to be accepted. An
	// agent tries an accept for 10 s, and again 5 s later.
	DefaultAssignTimeout = schedule.DefaultAssignTimeout
	// DefaultLeaseTimeout is how long a worker may be silent before it is lost.
	DefaultLeaseTimeout = schedule.DefaultLeaseTimeout
	// DefaultKeepAlive is the longest time between two messages of a stream.
	DefaultKeepAlive = 30 * time.Second
	// DefaultStreamMaxAge is the longest life of a stream. Its planned end lets
	// streams move to replicas that joined later.
	DefaultStreamMaxAge = 30 * time.Minute

	// maxInterval is the upper bound of every duration but those of keeping.
	maxInterval = 24 * time.Hour

	// minRetention and maxRetention bound how long something is kept.
	minRetention = time.Minute
	maxRetention = 10 * 365 * 24 * time.Hour
	// minMaxLog is the least Config.MaxLog.
	minMaxLog = 64 << 10
	// maxLogShare is the part of Config.MaxStore that Config.MaxLog is by default.
	maxLogShare = 4

	mebibyte = 1 << 20
)

// Config is the configuration of a Server. WithDefaults fills every empty field
// that has a default; Validate checks all of them.
type Config struct {
	// Listen is HOST:PORT; the default is DefaultListen. Port 0 takes any free port.
	// The host is required: 127.0.0.1 for this machine only, 0.0.0.0 or [::] for
	// every network.
	Listen string
	// DataDir is the directory for the store, the tokens and the lock; the default
	// is datadir.Default. It is created, with mode 0700, if it does not exist.
	DataDir string
	// NATSURL is the address of a NATS cluster that holds all records, or several
	// with commas between them; a password in it is not logged. Empty means
	// an embedded store with its files in DataDir. Replicas on one cluster must have
	// the same tokens.
	NATSURL string
	// NATSAccess is how to connect to the cluster: by which user, and with which
	// certificates.
	NATSAccess store.Access
	// NATSReplicas is the least number of copies of all records in the cluster, 1 to 5;
	// an operator's larger number is kept. The default, 0, is three for new records of a
	// cluster that has three servers or more, else one; existing ones keep theirs.
	NATSReplicas int
	// TLSCertFile and TLSKeyFile are PEM files. Both empty means no TLS.
	TLSCertFile, TLSKeyFile string
	// RegistrationToken lets agents register; AdminToken lets people and programs
	// call switchyard.v1. Each is a token in clear text, of 16 to 512 printable ASCII
	// characters, or "sha256:" and its hash in hexadecimal. Empty means the content
	// of the token file in DataDir, which is created with a random token if it does
	// not exist. Several tokens, one on each line, are valid together, the first being the
	// newest. The tokens of the two must differ.
	RegistrationToken, AdminToken string

	// PingInterval, HeartbeatInterval and JobStatusInterval are sent to agents when
	// they register: whole seconds, from 1 s to 24 h. The defaults are 2 s, 30 s
	// and 1 s.
	PingInterval, HeartbeatInterval, JobStatusInterval time.Duration
	// AssignTimeout is how long an assigned job waits to be accepted before it is
	// requeued: up to 24 h. The default is 30 s.
	AssignTimeout time.Duration
	// LeaseTimeout is how long a worker may be silent before it is lost: longer than
	// HeartbeatInterval, up to 24 h. The default is 90 s.
	LeaseTimeout time.Duration
	// KeepAlive is how long a stream may be without a message before its standing
	// instruction is sent again: up to 24 h. The default is 30 s.
	KeepAlive time.Duration
	// StreamMaxAge is the longest life of a stream, up to 24 h; each stream ends at a
	// random moment in the last fifth of it. The default is 30 min.
	StreamMaxAge time.Duration
	// AcquireAnyQueue lets an agent acquire, by its ID, a job of another queue than
	// its own.
	AcquireAnyQueue bool
	// Retention is how long a job, with its log and its build's meta-data, is kept after
	// its end: from a minute to ten years. The default is seven days.
	Retention time.Duration
	// LogRetention is how long a log is kept, counted from each chunk of it: from a
	// minute to Retention, which is the default.
	LogRetention time.Duration
	// WorkerRetention is how long a worker is kept after it left: from a minute to ten
	// years. The default is a day.
	WorkerRetention time.Duration
	// MaxStore is the most bytes of everything stored, at least 16 MiB: 70 % for logs
	// and 5 % for meta-data, of which the oldest are deleted beyond that. The default, 0,
	// is three quarters of the room on the disk of DataDir, and with NATSURL what the
	// cluster allows.
	MaxStore int64
	// WorkerPicture and JobPicture draw the machines of a worker and of a job in a state, as
	// SVG, for the web page; nil shows none.
	WorkerPicture, JobPicture web.Draw
	// Tracing receives the spans of calls and jobs; nil makes none.
	Tracing trace.TracerProvider
	// MaxLog is the most bytes of the log of one job, at least 64 KiB, where it is cut.
	// It is less than MaxStore, and in effect at most a quarter of the room for all logs.
	// The default is 1 GiB, or a quarter of MaxStore if that is less.
	MaxLog uint64
	// AccessLog is which requests have a line in the log: one of AccessLogs. The default is
	// off.
	AccessLog string
	// NoStream switches the stream off: the endpoint returns Unimplemented, and
	// agents poll.
	NoStream bool

	// Wrap, if not nil, returns the handler of everything on the port, given the
	// server's own. Tests and benchmarks use it to observe requests. It sees tokens,
	// and its ResponseWriter must support http.Flusher and http.ResponseController.
	Wrap func(http.Handler) http.Handler

	// Logger receives the server's log, which contains no token; nil discards it.
	Logger *zap.Logger
}

// WithDefaults returns c with the defaults in its empty fields.
func (c Config) WithDefaults() Config {
	if c.DataDir == "" {
		c.DataDir, _ = datadir.Default() // Validate reports an empty one
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	c.Listen = cmp.Or(c.Listen, DefaultListen)
	c.PingInterval = cmp.Or(c.PingInterval, DefaultPingInterval)
	c.HeartbeatInterval = cmp.Or(c.HeartbeatInterval, DefaultHeartbeatInterval)
	c.JobStatusInterval = cmp.Or(c.JobStatusInterval, DefaultJobStatusInterval)
	c.AssignTimeout = cmp.Or(c.AssignTimeout, DefaultAssignTimeout)
	c.LeaseTimeout = cmp.Or(c.LeaseTimeout, DefaultLeaseTimeout)
	c.KeepAlive = cmp.Or(c.KeepAlive, DefaultKeepAlive)
	c.StreamMaxAge = cmp.Or(c.StreamMaxAge, DefaultStreamMaxAge)
	c.Retention = cmp.Or(c.Retention, store.DefaultRetention)
	c.LogRetention = cmp.Or(c.LogRetention, c.Retention)
	c.WorkerRetention = cmp.Or(c.WorkerRetention, store.DefaultWorkerRetention)
	if c.MaxLog == 0 {
		c.MaxLog = joblog.DefaultMaxSize
		if c.MaxStore > 0 {
			c.MaxLog = min(c.MaxLog, uint64(c.MaxStore)/maxLogShare)
		}
	}
	c.AccessLog = cmp.Or(c.AccessLog, string(metrics.AccessLogOff))
	return c
}

// Validate returns an error that names every field that is out of its bounds.
func (c Config) Validate() error {
	return errors.Join(
		validateListen(c.Listen),
		validateDataDir(c.DataDir),
		validateNATSURL(c.NATSURL),
		c.validateNATS(),
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
		retained("retention", c.Retention),
		retained("log retention", c.LogRetention),
		retained("worker retention", c.WorkerRetention),
		c.validateSizes(),
		c.validateAccessLog(),
		c.validateLease(),
	)
}

func (c Config) validateTLS() error {
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		return errors.New("TLS: a certificate file and a key file are needed together; set both or neither")
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

// validateSizes checks the bounds of what is stored.
func (c Config) validateSizes() error {
	var errs []error
	switch {
	case c.MaxStore != 0 && c.MaxStore < store.MinMaxStore:
		errs = append(errs, fmt.Errorf("maximum store size (--max-store) is %s: it must be at least %s",
			inMiB(c.MaxStore), inMiB[int64](store.MinMaxStore)))
	case c.MaxStore != 0 && c.MaxLog >= uint64(c.MaxStore): //nolint:gosec // not negative
		errs = append(errs, fmt.Errorf("maximum log size (--max-log) is %s: it must be less than the maximum store size (--max-store), %s",
			inMiB(c.MaxLog), inMiB(c.MaxStore)))
	}
	if c.MaxLog < minMaxLog {
		errs = append(errs, fmt.Errorf("maximum log size is %d bytes: it must be at least %d", c.MaxLog, minMaxLog))
	}
	if c.LogRetention > c.Retention {
		errs = append(errs, fmt.Errorf("log retention (--log-retention) is %v: "+
			"it must not be longer than the retention of jobs (--retention), %v",
			c.LogRetention, c.Retention))
	}
	return errors.Join(errs...)
}

// inMiB returns a number of bytes for people.
func inMiB[T int64 | uint64](bytes T) string {
	return strconv.FormatFloat(float64(bytes)/mebibyte, 'f', -1, 64) + " MiB"
}

// AccessLogs returns the values of Config.AccessLog: no request, those that failed, all.
func AccessLogs() []string {
	return []string{string(metrics.AccessLogOff), string(metrics.AccessLogErrors), string(metrics.AccessLogAll)}
}

func (c Config) validateAccessLog() error {
	if _, err := metrics.ParseAccessLog(c.AccessLog); err != nil {
		return fmt.Errorf("access log %q %w", c.AccessLog, err)
	}
	return nil
}

func validateListen(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("listen address %q is not host:port", listen)
	}
	if host == "" {
		return fmt.Errorf("listen address %q has no host; use 127.0.0.1:%s for this machine only, or 0.0.0.0:%s for every network",
			listen, port, port)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("listen address %q: the port must be a number from 0 to 65535", listen)
	}
	return nil
}

// natsSchemes are how the URL of a NATS server may begin; the last two are WebSockets.
func natsSchemes() []string { return []string{"nats", "tls", "ws", "wss"} }

func validateNATSURL(raw string) error {
	if raw == "" {
		return nil
	}
	// The URL may contain a password, so that no error may contain the URL.
	for address := range strings.SplitSeq(raw, ",") {
		if u, err := url.Parse(strings.TrimSpace(address)); err != nil || u.Host == "" || !slices.Contains(natsSchemes(), u.Scheme) {
			return errors.New("NATS URL must look like nats://HOST:4222, or several of these with commas between them")
		}
	}
	return nil
}

// validateNATS checks the settings that go with a NATS URL.
func (c Config) validateNATS() error {
	switch {
	case c.NATSURL == "" && (!c.NATSAccess.IsZero() || c.NATSReplicas != 0):
		return errors.New("NATS: a user, certificates and a number of copies are for a NATS cluster; set its URL")
	case c.NATSReplicas < 0 || c.NATSReplicas > store.MaxReplicas:
		return fmt.Errorf("NATS: %d copies: it must be 1 to %d", c.NATSReplicas, store.MaxReplicas)
	}
	return c.NATSAccess.Validate() //nolint:wrapcheck // it names the setting
}

func validateDataDir(dir string) error {
	if dir == "" {
		return errors.New("data directory must not be empty: neither XDG_STATE_HOME nor HOME is set")
	}
	return nil
}

func positive(name string, d time.Duration) error {
	if d <= 0 || d > maxInterval {
		return fmt.Errorf("%s is %v: it must be more than 0 and at most %v", name, d, maxInterval)
	}
	return nil
}

// retained checks how long something is kept.
func retained(name string, d time.Duration) error {
	if d < minRetention || d > maxRetention {
		return fmt.Errorf("%s is %v: it must be from %v to %v", name, d, minRetention, maxRetention)
	}
	return nil
}

// wholeSeconds checks an interval that agents receive: in whole seconds, and
// never 0, with which other agents fail.
func wholeSeconds(name string, d time.Duration) error {
	if d < time.Second || d > maxInterval || d%time.Second != 0 {
		return fmt.Errorf("%s is %v: it must be whole seconds, from %v to %v", name, d, time.Second, maxInterval)
	}
	return nil
}
