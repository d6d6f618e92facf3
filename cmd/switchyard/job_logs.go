package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const logsDescription = `Writes the log of a job to standard output, byte for byte. With --output json it
writes the job, its changes of state and the chunks of its log, one object on each
line.

Standard error has what a log lacks: that it was deleted, by whom and when, or how many
bytes are missing, and why. Of a job that waits it has the reason. If the log was deleted,
or nothing of it is kept any more, the exit code is 1.

With --follow it goes on until the job has ended. When the control plane cannot be
reached any more it tries again for as long as --patience says; the first call is
made once. Ctrl-C ends the following, not the job, with exit code 130.`

// jobLogs returns `switchyard job logs`.
func (a *app) jobLogs() *cobra.Command {
	cmd := cli.Command("logs ID", "write a job's log", cli.OneArg("job ID"))
	cmd.Long = logsDescription
	var follow bool
	var options client.FollowOptions
	flags := cli.PerCall(cmd)
	var remove bool
	flags.Bool(&remove, "delete", "delete the log of a job that has ended, instead of writing it")
	flags.Bool(&follow, "follow,f", "go on as the log grows, until the job has ended")
	fromOffset := cli.Var(flags, &options.LogOffset, "offset", "NUMBER", "leave out the first bytes of the log",
		cli.Number[uint64](0, math.MaxInt64))
	tail := 0
	var since *timestamppb.Timestamp
	momentFlag(flags, &since, "since", "only what the control plane received from then on")
	lastLines := cli.Var(flags, &tail, "tail", "NUMBER", "only the last lines of the log", cli.Number(0, maxTail))
	c := connectionFlags(cmd)
	c.patienceFlag(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case remove && (follow || fromOffset.IsSet() || lastLines.IsSet() || since != nil):
			return cli.Usagef(cmd, "--delete cannot be used with --follow, --offset, --since or --tail: it writes no log")
		case lastLines.IsSet() && fromOffset.IsSet():
			return cli.Usagef(cmd, "--tail and --offset cannot be used together")
		}
		return nil
	}
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		if remove {
			return a.deleteLog(ctx, c, caller, ids[0])
		}
		ctx, stop := cli.Interruptible(ctx)
		defer stop()
		options.NoWait = !follow
		if lastLines.IsSet() {
			var err error
			if options.LogOffset, err = tailOffset(ctx, caller, ids[0], tail); err != nil {
				return a.stoppedWaiting(c, ids[0], err)
			}
		}
		follower := a.follower(c, false)
		if since != nil {
			follower = logSince{follower, since.AsTime()}
		}
		log := &logReceipt{Follower: follower}
		job, err := caller.Follow(ctx, ids[0], options, log)
		if err != nil {
			return a.stoppedWaiting(c, ids[0], err)
		}
		if retry := retryOf(job); retry != "" {
			a.Notef("job %s is %s; job %s retries it", ids[0], present.JobOutcome(job.GetOutcome()), retry)
		}
		return log.check(job, !c.JSON())
	})
	return cmd
}

// deleteLog deletes the log of a job, and writes what was deleted.
func (a *app) deleteLog(ctx context.Context, c *connection, caller *client.Client, id string) error {
	response, err := caller.DeleteJob(ctx, id, true)
	if err != nil {
		return err
	}
	return write(a, c.Output, response, func(io.Writer, *switchyardv1.DeleteJobResponse) error {
		return a.Printf("the log of job %s is %s\n", response.GetId(), present.LogDeletion(response.GetLogDeletion()))
	})
}

// logReceipt is a follower that notes whether anything of a log was received.
type logReceipt struct {
	client.Follower

	received bool // some bytes
	notKept  bool // bytes are missing that are not kept any more
}

// Log passes a chunk on.
func (l *logReceipt) Log(chunk *switchyardv1.LogChunk) error {
	l.received = l.received || len(chunk.GetData()) > 0
	l.notKept = l.notKept || chunk.GetGap() == switchyardv1.LogGap_LOG_GAP_NOT_KEPT
	return l.Follower.Log(chunk)
}

// check returns an error if the log of a job does not exist any more, so that a program
// that asked for it does not take it for an empty one. The error has no message if the
// follower has written what is missing.
func (l *logReceipt) check(job *switchyardv1.Job, noted bool) error {
	deletion := job.GetLogDeletion()
	switch {
	case deletion == nil && (!l.notKept || l.received):
		return nil
	case noted:
		return cli.ExitWith(cli.ExitFailure)
	case deletion != nil:
		return fmt.Errorf("the log of job %s was %s", job.GetId(), present.LogDeletion(deletion))
	}
	return fmt.Errorf("nothing of the log of job %s is kept any more", job.GetId())
}

// logSince is a Follower that leaves out the parts of the log that the control plane
// received before a moment.
type logSince struct {
	client.Follower

	moment time.Time
}

// Log implements client.Follower.
func (l logSince) Log(chunk *switchyardv1.LogChunk) error {
	if at := chunk.GetReceivedAt(); at != nil && at.AsTime().Before(l.moment) {
		return nil
	}
	return l.Follower.Log(chunk)
}
