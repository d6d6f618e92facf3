package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workersPause is `switchyard workers pause ID...`.
func (a *app) workersPause() *cli.Command {
	return &cli.Command{
		Name:      "pause",
		Usage:     "have workers take no more work until they are resumed",
		ArgsUsage: "ID-OR-NAME...",
		Flags:     append([]cli.Flag{reasonFlag("paused"), a.outputFlag()}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.changeWorkers(ctx, cmd, func(c *client.Client, id string) (*switchyardv1.Worker, error) {
				return c.PauseWorker(ctx, id, cmd.String(flagReason))
			})
		},
	}
}
