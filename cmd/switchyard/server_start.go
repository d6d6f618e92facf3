package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// shutdownTimeout is how long a control plane may take to end in good order.
const shutdownTimeout = 30 * time.Second

const serverDescription = `Holds jobs and agents until it is told to leave. Its tokens are made at the first
start, in the data directory: registration-token for agents, admin-token for
people and programs.

The first SIGINT or SIGTERM ends it in good order: what is under way is answered,
streams are ended, agents come back to the next start or to another replica. The
second exits at once; what was acknowledged is stored either way.

Exit codes: 0 when it left as it was told, 1 when it failed, 2 when a setting is
wrong, 128 and the number of the signal after a second signal.`

// serverStart is `switchyard server start`.
func (a *app) serverStart() *cli.Command {
	return &cli.Command{
		Name:        "start",
		Usage:       "run a control plane until it is told to leave",
		Description: serverDescription,
		Flags:       append(append(a.serverFlags(), a.outputFlag()), a.logFlags("info")...),
		Action:      a.startServer,
	}
}

func (a *app) startServer(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	settings, err := a.serverConfig(cmd)
	if err != nil {
		return err
	}
	server, err := controlplane.Start(ctx, settings)
	if err != nil {
		return fmt.Errorf("starting: %w", err)
	}
	if err := a.tellServer(cmd, server, settings, "The control plane", ""); err != nil {
		return shutdown(server, err)
	}
	leave := make(chan struct{})
	steps := []step{{say: "shutting down; again to exit at once", do: func() { close(leave) }}}
	return a.untilLeft(steps, func() error {
		select {
		case <-leave:
		case <-server.Done():
		}
		return shutdown(server, nil)
	})
}

// shutdown ends the control plane, whose work ended with err.
func shutdown(server *controlplane.Server, err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if failed := server.Shutdown(ctx); failed != nil {
		return errors.Join(err, fmt.Errorf("the control plane failed: %w", failed))
	}
	return err
}
