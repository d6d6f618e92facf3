package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

const upDescription = `Runs a control plane and an agent in one process, on this machine alone unless
--listen says otherwise, until it is told to leave. To run them for real, apart
from each other, there are server start and agent start.

The first SIGINT or SIGTERM drains the agent: no more work is taken, what runs is
finished. The second cancels what runs, and leaves. The third exits at once.
SIGUSR1 writes the last events of each worker to a file, for fsm replay.

Exit codes: 0 when it left as it was told, 1 when it failed, 2 when a setting is
wrong, 128 and the number of the signal after a third signal.`

// up is `switchyard up`.
func (a *app) up() *cli.Command {
	flags := append(a.serverFlags(), a.workerFlags()...)
	return &cli.Command{
		Name:        "up",
		Usage:       "run a control plane and an agent, in one process",
		Description: upDescription,
		Flags:       append(append(flags, a.outputFlag()), a.logFlags("info")...),
		Action:      a.runUp,
	}
}

func (a *app) runUp(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	serving, err := a.serverConfig(cmd)
	if err != nil {
		return err
	}
	working, err := a.agentConfig(cmd)
	if err != nil {
		return err
	}
	// They write to one log; each says who it is.
	serving.Logger = serving.Logger.Named("control-plane")
	working.Logger = working.Logger.Named("agent")
	working.Job.Logger = working.Logger.Named("job")
	server, err := controlplane.Start(ctx, serving)
	if err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	working.Endpoint = server.URL() + agentPath
	if working.Token = server.RegistrationToken(); working.Token == "" {
		return shutdown(server, errors.New("the agent needs the registration token, and only its hash is known; give the token itself"))
	}
	if serving.TLSCertFile != "" {
		if working.TLS, err = config.PinnedTLS(serving.TLSCertFile); err != nil {
			return shutdown(server, err)
		}
	}
	defer inherit(&working)()
	daemon, err := agent.New(working)
	if err != nil {
		return shutdown(server, usage(cmd, "%w", err))
	}
	if err := a.tellServer(cmd, server, serving, "Switchyard", workersLine(working)); err != nil {
		return shutdown(server, err)
	}
	defer a.historyOnSignal(daemon)()
	return a.untilLeft(leaving(daemon), func() error {
		return shutdown(server, runBeside(ctx, server, daemon))
	})
}

// runBeside runs the agent until it has left, or until the control plane has
// failed under it.
func runBeside(ctx context.Context, server *controlplane.Server, daemon *agent.Agent) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	left := make(chan error, 1)
	go func() { left <- daemon.Run(ctx) }()
	select {
	case err := <-left:
		return err
	case <-server.Done():
		// Its jobs cannot be reported to anybody; the agent lets go of them.
		cancel(errServerFailed)
		if err := <-left; !errors.Is(err, errServerFailed) {
			return err
		}
		return nil // shutdown says how the control plane failed
	}
}

// errServerFailed is why the agent of `up` must end.
var errServerFailed = errors.New("the control plane has ended")

// workersLine says which workers `up` runs.
func workersLine(c agent.Config) string {
	workers := "1 worker"
	if c.Spawn > 1 {
		workers = strconv.Itoa(c.Spawn) + " workers"
	}
	return "  here                     " + workers + " for queue " + c.Queue + "\n"
}
