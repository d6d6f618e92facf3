package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// shutdownTimeout bounds the orderly shutdown of a control plane.
const shutdownTimeout = 30 * time.Second

const serverDescription = `Holds jobs and workers until it is stopped. It creates its tokens at the first
start, in the data directory: registration-token for agents, admin-token for
people and programs.

The first SIGINT or SIGTERM shuts it down in order: requests in progress are
answered, streams are ended, and agents reconnect to the next start or to another
replica. The second, at least a second later, exits at once; what was acknowledged is
stored in both cases. SIGQUIT shuts down as the first. SIGHUP does so when the
terminal is closed; in a service it reads the certificate, the token files and, from
the configuration file, the log level again. A changed certificate is used without
it, too; a changed token is not, and the old one is refused from the reload on.

A job that ended is kept with its log for --retention, a worker that left for
--worker-retention; a job that has not ended is kept until it has. The log of a job is
cut at --max-log. Logs use at most 70 % of --max-store, beyond which those of jobs that
ended are deleted, the oldest first; no new job is taken when jobs and workers use 22 %,
and all else goes on. A store whose disk is full takes no job and no result until it has
room, and then goes on by itself; agents keep results and logs meanwhile, and /readyz
responds with the cause.

Metrics for Prometheus are at /metrics, for tokens of the scope read; profiles for
"go tool pprof" are at /debug/pprof, for tokens of the scope operate.

Exit codes: 0 after an orderly shutdown, 1 when it failed, 2 when a setting is
wrong, 128 plus the number of the signal after a second signal.`

// serverStart returns `switchyard server start`.
func (a *app) serverStart() *cobra.Command {
	cmd := cli.Command("start", "run a control plane until it is stopped", cli.NoArgs)
	cmd.Long = serverDescription
	s := newServerFlags(cmd, command.NewDataDir(cmd, "directory of the store and the tokens; it is created if it does not exist"))
	out := command.OutputFlag(cmd)
	log := command.NewLogFlags(cmd, zapcore.InfoLevel)
	a.Check("server", cmd, func() error { return s.check(cmd) })
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger := log.Logger()
		settings, err := s.read(cmd, logger)
		if err != nil {
			return err
		}
		provider, endTracing, err := a.StartTracing(cmd.Context(), "switchyard", logger)
		if err != nil {
			return cli.Usagef(cmd, "%w", err)
		}
		defer endTracing()
		settings.Tracing = provider
		server, err := a.start(cmd, settings)
		if server == nil || err != nil {
			return err
		}
		if err := a.announce(out, s, server, settings, "The control plane", ""); err != nil {
			return shutdown(server, err)
		}
		stop := make(chan struct{})
		steps := []cli.Step{{Message: "shutting down; again to exit at once", Do: func() { close(stop) }}}
		reload := log.Reloader(cmd, logger, func() ([]string, error) { return s.reload(cmd, server, logger) })
		return cli.Daemon{Steps: steps, Reload: reload, Alive: server.Alive, Notef: a.Notef}.Run(func() error {
			select {
			case <-stop:
			case <-server.Done():
			}
			return shutdown(server, nil)
		})
	}
	return cmd
}

// start starts a control plane, which may have to wait for its store. It returns nil and
// no error if it was stopped meanwhile.
func (a *app) start(cmd *cobra.Command, settings controlplane.Config) (*controlplane.Server, error) {
	if err := a.warnOfAdminToken(cmd, settings); err != nil {
		return nil, err
	}
	ctx, stop := cli.Starting(cmd.Context())
	defer stop()
	server, err := startControlPlane(ctx, settings)
	switch interrupted, ok := errors.AsType[cli.InterruptedError](context.Cause(ctx)); {
	case ok && err != nil:
		a.Notef("%v, before the store was open", interrupted)
		return nil, nil //nolint:nilnil // nothing failed
	case ok:
		return nil, shutdown(server, nil)
	case err != nil:
		return nil, fmt.Errorf("starting: %w", err)
	}
	return server, nil
}

// serverFlags are the flags of a control plane, for `server start` and `up`.
type serverFlags struct {
	config              controlplane.Config
	dataDir             *command.DataDir
	registration, admin *cli.Token
}

func newServerFlags(cmd *cobra.Command, dir *command.DataDir) *serverFlags {
	s := &serverFlags{config: controlplane.Config{}.WithDefaults(), dataDir: dir}
	c := &s.config
	c.WorkerPicture, c.JobPicture = drawWorker, drawJob
	c.LogRetention, c.MaxLog = 0, 0 // they depend on what the flags have not set yet
	flags := cli.Settings(cmd, "server")
	duration := func(target *time.Duration, name, usage string) cli.Flag {
		return cli.Var(flags, target, name, "DURATION", usage, cli.Positive)
	}
	flags.Text(&c.Listen, "listen", "HOST:PORT", "address to listen on; port 0 is any free port")
	flags.Text(&c.NATSURL, "nats-url", "URL", "NATS cluster to keep jobs and workers in; "+
		"other users of this machine see a password in it, so prefer the variable").
		Default("a store in this process, in the data directory")
	natsFlags(flags, c)
	flags.File(&c.TLSCertFile, "tls-cert", "FILE", "PEM file of the certificate for TLS").Default("no TLS")
	flags.SecretFile(&c.TLSKeyFile, "TLS key", "tls-key", "FILE", "PEM file of the certificate's key")
	s.registration = flags.Token("registration-token", "token that agents register with",
		"registration-token in the data directory, created at the first start")
	s.admin = flags.Token("admin-token", "token of people and programs",
		"admin-token in the data directory, created at the first start")
	duration(&c.PingInterval, "ping-interval", "time between two pings of a polling worker, in whole seconds")
	duration(&c.HeartbeatInterval, "heartbeat-interval", "time between two heartbeats of a worker, in whole seconds")
	duration(&c.JobStatusInterval, "job-status-interval",
		"time between two checks of a worker whether its job was canceled, in whole seconds")
	duration(&c.AssignTimeout, "assign-timeout", "requeue a job that was not accepted within this time")
	duration(&c.LeaseTimeout, "lease", "mark a worker and its job as lost after this time without a heartbeat")
	duration(&c.KeepAlive, "keep-alive", "longest time without a message on a stream")
	duration(&c.StreamMaxAge, "stream-max-age", "age at which a stream is ended as planned")
	duration(&c.Retention, "retention", "keep a job, with its log and meta-data, for this time after its end; at least 1m")
	duration(&c.LogRetention, "log-retention", "keep each part of a log for this time; from 1m to --retention").
		Default("the same as --retention")
	duration(&c.WorkerRetention, "worker-retention", "keep a worker for this time after it left; at least 1m")
	cli.Var(flags, &c.MaxStore, "max-store", "MIB",
		"most to store, at least 16: 70 % for logs, of which the oldest are deleted beyond that, and the rest for jobs",
		cli.Mebibytes(math.MaxInt32)).
		Default("three quarters of the room on the disk of the data directory; with --nats-url what the cluster allows")
	cli.Var(flags, &c.MaxLog, "max-log", "MIB",
		"most of the log of one job, which is cut there; at least 1, and less than --max-store; at most a quarter of the room for logs",
		unsignedMebibytes).Default("1024, or a quarter of --max-store")
	flags.Choice(&c.AccessLog, "access-log", "WHICH", "requests to log: off, errors (those that failed) or all", controlplane.AccessLogs()...)
	flags.Bool(&c.AcquireAnyQueue, "acquire-any-queue", "let an agent acquire, by its ID, a job of another queue than its own")
	cli.Var(flags, &c.NoStream, "stream", "bool", "serve streams; with --stream=false agents poll", cli.Not).Default("true")
	return s
}

// unsignedMebibytes parses a number of MiB, at least 1, to bytes.
func unsignedMebibytes(text string) (uint64, error) {
	n, err := cli.Number[uint64](1, math.MaxInt32)(text)
	return n * cli.Mebibyte, err
}

// read returns the configuration that the flags describe.
func (s *serverFlags) read(cmd *cobra.Command, logger *zap.Logger) (controlplane.Config, error) {
	c := s.config.WithDefaults()
	c.Logger = logger
	var err error
	if c.DataDir, err = s.dataDir.Resolve(); err != nil {
		return c, err
	}
	if c.RegistrationToken, err = s.registration.ReadAll(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	if c.AdminToken, err = s.admin.ReadAll(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	if err := c.Validate(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	return c, nil
}

// check returns what is wrong with the settings: those that cannot be used, a certificate
// that does not belong to its key, and a data directory that other users can write to.
func (s *serverFlags) check(cmd *cobra.Command) error {
	c, err := s.read(cmd, zap.NewNop())
	if err != nil {
		return err
	}
	if c.TLSCertFile != "" {
		_, err = config.WatchKeyPair(c.TLSCertFile, c.TLSKeyFile, func(error) {})
	}
	if _, statErr := os.Stat(c.DataDir); statErr == nil { // else the start creates it
		_, dirErr := datadir.CheckDir(c.DataDir)
		err = errors.Join(err, dirErr)
	}
	return err
}

// reload reads the files of the certificate and of the tokens again, and returns the
// names of what has changed. An error names what stays as it was.
func (s *serverFlags) reload(cmd *cobra.Command, server *controlplane.Server, logger *zap.Logger) ([]string, error) {
	settings, err := s.read(cmd, logger)
	if err != nil {
		return nil, err
	}
	return server.Reload(settings)
}

// shutdown shuts the control plane down in order. It returns err, the error of
// its work, joined with its own failure.
func shutdown(server *controlplane.Server, err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if failed := server.Shutdown(ctx); failed != nil {
		return errors.Join(err, fmt.Errorf("the control plane failed: %w", failed))
	}
	return err
}

// serverInfo is the location of a control plane, for the program that has started
// it.
type serverInfo struct {
	Endpoint      string `json:"endpoint"`
	AgentEndpoint string `json:"agentEndpoint"`
	DataDir       string `json:"dataDir"`
}

// announce writes that the control plane is ready, where it is, and how to submit
// a job to it. what has started is the subject of the text; details are more lines.
func (a *app) announce(
	out *command.Output, s *serverFlags, server *controlplane.Server, settings controlplane.Config, what, details string,
) error {
	dir, err := filepath.Abs(settings.DataDir)
	if err != nil {
		dir = settings.DataDir
	}
	agentEndpoint := server.URL() + wire.Prefix
	if out.JSON() {
		return a.WriteJSON(serverInfo{Endpoint: server.URL(), AgentEndpoint: agentEndpoint, DataDir: dir})
	}
	var flags strings.Builder
	flag := func(name, value string) { flags.WriteString(" " + name + " " + present.Command([]string{value})) }
	if server.URL() != client.DefaultEndpoint {
		flag("--endpoint", server.URL())
	}
	if s.dataDir.Flag.IsSet() {
		flag("--data-dir", dir)
	}
	if settings.TLSCertFile != "" {
		flag("--ca-file", settings.TLSCertFile)
	}
	return a.Printf(`%s is up.
  for people and programs  %s
  for agents               %s
  data and tokens          %s
%sTo submit a job:
  %s job submit%s --wait -- echo hello
`, what, server.URL(), agentEndpoint, dir, details, called(), flags.String())
}
