package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const upDescription = `Runs a control plane and an agent in one process until it is stopped. It listens
on this machine only, unless --listen names another address. In production run
them apart, with server start and agent start.

` + command.AgentSignals + `.`

// up returns `switchyard up`.
func (a *app) up() *cobra.Command {
	cmd := cli.Command("up", "run a control plane and an agent in one process", cli.NoArgs)
	cmd.Long = upDescription
	dir := command.NewDataDir(cmd, "directory of the store, the tokens, builds and undelivered results; it is created if it does not exist")
	s := newServerFlags(cmd, dir)
	f := command.NewAgentFlags(dir)
	f.Declare(cmd)
	out := command.OutputFlag(cmd)
	log := command.NewLogFlags(cmd, zapcore.InfoLevel)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		logger := log.Logger()
		serving, err := s.read(cmd, logger.Named("control-plane"))
		if err != nil {
			return err
		}
		working, err := f.Read(cmd, logger.Named("agent"))
		if err != nil {
			return err
		}
		provider, endTracing, err := a.StartTracing(cmd.Context(), "switchyard", logger)
		if err != nil {
			return cli.Usagef(cmd, "%w", err)
		}
		defer endTracing()
		serving.Tracing, working.Tracing = provider, provider
		server, err := a.start(cmd, serving)
		if server == nil || err != nil {
			return err
		}
		if err := connectTo(server, serving, &working); err != nil {
			return shutdown(server, err)
		}
		home := f.OpenHome(&working)
		defer home.Close()
		daemon, release, err := a.NewAgent(cmd, working)
		if err != nil {
			return shutdown(server, err)
		}
		defer release()
		if err := a.announce(out, s, server, serving, "Switchyard", workersLine(working)); err != nil {
			return shutdown(server, err)
		}
		reload := log.Reloader(cmd, logger, func() ([]string, error) {
			changed, err := s.reload(cmd, server, serving.Logger)
			daemon.SetToken(server.RegistrationToken())
			return changed, err
		})
		alive := func(ctx context.Context) error { return errors.Join(server.Alive(ctx), daemon.Alive(ctx)) }
		return a.RunAgent(daemon, reload, alive, func() error {
			return shutdown(server, home.Serve(cmd.Context(), daemon, func() error { return runBeside(cmd.Context(), server, daemon) }))
		})
	}
	return cmd
}

// connectTo configures an agent for the control plane in the same process.
func connectTo(server *controlplane.Server, serving controlplane.Config, working *agent.Config) error {
	working.Endpoints = []string{server.URL() + wire.Prefix}
	if working.Token = server.RegistrationToken(); working.Token == "" {
		return errors.New("the agent needs the registration token, and only its hash is configured; give the token itself")
	}
	if serving.TLSCertFile != "" {
		working.TLS = config.PinnedTLS(server.Certificate)
	}
	return nil
}

// errServerFailed is the cause of the agent's context when the control plane has
// failed.
var errServerFailed = errors.New("the control plane has ended")

// runBeside runs the agent until it stops, or until the control plane fails. Then
// the agent abandons its jobs, because they cannot be reported.
func runBeside(ctx context.Context, server *controlplane.Server, daemon *agent.Agent) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan error, 1)
	go func() { stopped <- daemon.Run(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-server.Done():
		cancel(errServerFailed)
		if err := <-stopped; !errors.Is(err, errServerFailed) {
			return err
		}
		return nil // shutdown returns how the control plane failed
	}
}

// workersLine returns the line of the announcement about the workers.
func workersLine(c agent.Config) string {
	workers := "1 worker"
	if c.Spawn > 1 {
		workers = strconv.Itoa(c.Spawn) + " workers"
	}
	return "  here                     " + workers + " for queue " + c.Queue + "\n"
}
