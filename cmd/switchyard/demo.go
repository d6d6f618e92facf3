package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/demo"
)

const demoDescription = `Starts a control plane, an agent, and between them a proxy that can cut the
stream alone, all on loopback and in a temporary directory. Jobs reach the agent
over the stream; the stream is cut in the middle of one; polling brings another;
the stream is healed while that one runs. Every transition of the worker is shown
as it happens. It takes less than 30 seconds.

Exit codes: 0 when no job was lost or run twice and control went where it should,
1 when not.`

// demo is `switchyard demo`.
func (a *app) demo() *cli.Command {
	return &cli.Command{
		Name:        "demo",
		Usage:       "see jobs survive the death of the stream, on real parts",
		Description: demoDescription,
		Flags:       append([]cli.Flag{a.transitionLogFlag()}, a.logFlags("error")...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			logger, err := a.logger(cmd)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(ctx)
			defer stop()
			return demo.Run(ctx, a.stdout, cmd.String(flagTransitionLog), logger)
		},
	}
}
