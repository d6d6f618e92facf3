package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
)

// jobShow is `switchyard job show ID`.
func (a *app) jobShow() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show everything about a job",
		ArgsUsage: "ID",
		Flags:     append([]cli.Flag{a.outputFlag()}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			id, err := oneArgument(cmd, "job's id")
			if err != nil {
				return err
			}
			c, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			job, err := c.Job(ctx, id)
			if err != nil {
				return err
			}
			if asJSON(cmd) {
				return present.JSON(a.stdout, job)
			}
			return present.Job(a.stdout, job)
		},
	}
}
