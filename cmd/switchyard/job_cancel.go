package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
)

const flagReason = "reason"

// jobCancel is `switchyard job cancel ID...`.
func (a *app) jobCancel() *cli.Command {
	return &cli.Command{
		Name:      "cancel",
		Usage:     "cancel jobs: a job that runs is ended by its agent, one that waits never begins",
		ArgsUsage: "ID...",
		Flags:     append([]cli.Flag{reasonFlag("canceled"), a.outputFlag()}, a.connectionFlags()...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			ids, err := someArguments(cmd, "job's id")
			if err != nil {
				return err
			}
			c, err := a.connect(cmd)
			if err != nil {
				return err
			}
			defer c.Close()
			for _, id := range ids {
				job, err := c.CancelJob(ctx, id, cmd.String(flagReason))
				if err != nil {
					return err
				}
				if asJSON(cmd) {
					err = present.JSON(a.stdout, job)
				} else {
					err = a.printf("job %s %s\n", job.GetId(), present.Outcome(job))
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// reasonFlag says, in words for people, why something was done.
func reasonFlag(done string) cli.Flag {
	return &cli.StringFlag{
		Name: flagReason, Value: done + " on the command line", Usage: "why, in `WORDS` for people",
	}
}
