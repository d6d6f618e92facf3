package main

import (
	"context"
	"errors"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
)

// waitForJob follows a job, and the ones that retry it, to the end, and ends the
// program as the job ended.
func (a *app) waitForJob(ctx context.Context, cmd *cli.Command, c *client.Client, id string) error {
	options := client.FollowOptions{}
	for {
		job, err := c.Follow(ctx, id, options, a.follower(cmd, true))
		if err != nil {
			return a.stoppedWaiting(cmd, id, err)
		}
		if job.GetRetriedBy() == "" {
			return exitOf(exitOfJob(job))
		}
		id, options.Expected = job.GetRetriedBy(), true
		a.notef("job %s retries it", id)
	}
}

// follower tells of a job as --output says; states has its changes of state told
// to people, too.
func (a *app) follower(cmd *cli.Command, states bool) client.Follower {
	narrator := present.Narrator{Out: a.stdout, Notes: a.stderr, States: states}
	if asJSON(cmd) {
		return &present.JSONLines{Narrator: narrator}
	}
	return &narrator
}

// stoppedWaiting says what becomes of a job that nobody waits for any longer.
func (a *app) stoppedWaiting(cmd *cli.Command, id string, err error) error {
	interrupted, ok := errors.AsType[interruptedError](err)
	if !ok {
		if failed, is := errors.AsType[*client.Error](err); is && failed.Uncertain() {
			a.notef("job %s may go on; to follow it again: %s job logs --follow%s %s", id, name, a.connectionArguments(cmd), id)
		}
		return err
	}
	a.notef("job %s goes on; to cancel it: %s job cancel%s %s", id, name, a.connectionArguments(cmd), id)
	return exitOf(exitSignal + int(interrupted.signal))
}

// connectionArguments are the flags, with a space before each, that lead another
// command to the same control plane. Tokens are not repeated.
func (a *app) connectionArguments(cmd *cli.Command) string {
	var arguments strings.Builder
	for _, flag := range []string{flagEndpoint, flagAdminToken + "-file", flagDataDir, flagCAFile} {
		if cmd.IsSet(flag) && cmd.String(flag) != "" {
			arguments.WriteString(" --" + flag + " " + present.Command([]string{cmd.String(flag)}))
		}
	}
	return arguments.String()
}
