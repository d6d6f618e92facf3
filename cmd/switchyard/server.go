package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/gcpace"
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

// startControlPlane starts a control plane that holds little garbage: a start with many kept
// jobs would take twice the memory that it needs, and so would many idle streams.
func startControlPlane(ctx context.Context, config controlplane.Config) (*controlplane.Server, error) {
	started := gcpace.Start()
	server, err := controlplane.Start(ctx, config)
	started()
	if err == nil {
		go gcpace.Run(server.Done())
	}
	return server, err
}

// warnOfAdminToken warns in one line where a control plane is about to create an admin token
// although there is one in the settings of commands, which earlier versions took: a replica
// would have another token than the others.
func (a *app) warnOfAdminToken(cmd *cobra.Command, settings controlplane.Config) error {
	path := filepath.Join(settings.DataDir, datadir.AdminTokenFile)
	if _, err := os.Lstat(path); settings.AdminToken != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil // the start reports a file that cannot be used
	}
	for _, key := range []string{"admin-token", "admin-token-file"} {
		place, err := cli.PlaceOf(cmd, key)
		if err != nil {
			return err
		}
		if place != "" {
			own := "server." + key
			a.Notef("%s is for the commands that call a control plane; this one creates a token of its own in %s; to set its token, use %s (%s)",
				place, path, own, cli.EnvName(own))
			return nil
		}
	}
	return nil
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
	kept := "data and tokens"
	switch {
	case settings.AdminToken != "": // it is not in the data directory
		kept = "data           "
		path, err := filepath.Abs(s.admin.Path)
		if err != nil || s.admin.Path == "" {
			path = "FILE"
		}
		flag("--admin-token-file", path)
	case s.dataDir.Flag.IsSet():
		flag("--data-dir", dir)
	}
	if settings.TLSCertFile != "" {
		flag("--ca-file", settings.TLSCertFile)
	}
	return a.Printf(`%s is up.
  for people and programs  %s
  for agents               %s
  %s          %s
%sTo submit a job:
  %s job submit%s --wait -- echo hello
`, what, server.URL(), agentEndpoint, kept, dir, details, called(), flags.String())
}
