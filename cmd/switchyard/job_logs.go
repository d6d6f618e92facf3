package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
)

const (
	flagFollow = "follow"
	flagOffset = "offset"
)

const logsDescription = `Writes the log of a job to standard output, byte for byte. With --output json it
writes the job as it stands, its changes of state and the pieces of its log, one
object a line.

With --follow it goes on until the job has ended; when the control plane goes
away it is sought again for as long as --patience says. Ctrl-C ends the
following, not the job, with exit code 130.`

// jobLogs is `switchyard job logs [-f] ID`.
func (a *app) jobLogs() *cli.Command {
	return &cli.Command{
		Name:        "logs",
		Usage:       "write a job's log",
		ArgsUsage:   "ID",
		Description: logsDescription,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: flagFollow, Aliases: []string{"f"}, Usage: "go on as the log grows, until the job has ended"},
			&cli.Uint64Flag{Name: flagOffset, Usage: "leave out the first `NUMBER` bytes of the log"},
			a.patienceFlag(),
			a.outputFlag(),
		}, a.connectionFlags()...),
		Action: a.writeLog,
	}
}

func (a *app) writeLog(ctx context.Context, cmd *cli.Command) error {
	id, err := oneArgument(cmd, "job's id")
	if err != nil {
		return err
	}
	c, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, stop := interruptible(ctx)
	defer stop()
	options := client.FollowOptions{LogOffset: cmd.Uint64(flagOffset), NoWait: !cmd.Bool(flagFollow)}
	if _, err := c.Follow(ctx, id, options, a.follower(cmd, false)); err != nil {
		return a.stoppedWaiting(cmd, id, err)
	}
	return nil
}
