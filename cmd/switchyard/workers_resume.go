package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workersResume is `switchyard workers resume ID...`.
func (a *app) workersResume() *cli.Command {
	return &cli.Command{
		Name:      "resume",
		Usage:     "let paused workers take work again",
		ArgsUsage: "ID-OR-NAME...",
		Flags:     append([]cli.Flag{a.outputFlag()}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.changeWorkers(ctx, cmd, func(c *client.Client, id string) (*switchyardv1.Worker, error) {
				return c.ResumeWorker(ctx, id)
			})
		},
	}
}
