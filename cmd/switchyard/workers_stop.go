package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const flagForce = "force"

// workersStop is `switchyard workers stop ID...`.
func (a *app) workersStop() *cli.Command {
	return &cli.Command{
		Name:      "stop",
		Usage:     "have workers finish what they run, and leave",
		ArgsUsage: "ID-OR-NAME...",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagForce, Usage: "cancel what they run instead of waiting for it"},
			reasonFlag("stopped"),
			a.outputFlag(),
		}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.changeWorkers(ctx, cmd, func(c *client.Client, id string) (*switchyardv1.Worker, error) {
				return c.StopWorker(ctx, id, cmd.Bool(flagForce), cmd.String(flagReason))
			})
		},
	}
}
