package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// agentsPause is `switchyard agents pause ID...`.
func (a *app) agentsPause() *cli.Command {
	return &cli.Command{
		Name:      "pause",
		Usage:     "have workers take no more work until they are resumed",
		ArgsUsage: "ID-OR-NAME...",
		Flags:     append([]cli.Flag{reasonFlag("paused"), a.outputFlag()}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			return a.changeAgents(ctx, cmd, func(c *client.Client, id string) (*switchyardv1.Agent, error) {
				return c.PauseAgent(ctx, id, cmd.String(flagReason))
			})
		},
	}
}
