package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const waitDescription = `Waits until jobs have ended, and writes how each did, in the order of the command line.
Of a job that is lost and retried it waits for the retry. Standard error has what the
jobs do meanwhile. When the control plane cannot be reached any more it tries again for as
long as --patience says; the first call is made once. Ctrl-C ends the waiting, not the
jobs.

The exit code is that of job submit --wait for the first job that did not succeed, 1 if a
job could not be waited for, and 0 if all jobs succeeded.`

// jobWait returns `switchyard job wait`.
func (a *app) jobWait() *cobra.Command {
	cmd := cli.Command("wait ID...", "wait until jobs have ended, and exit as they did", cli.SomeArgs("job ID"))
	cmd.Long = waitDescription
	c := connectionFlags(cmd)
	c.patienceFlag(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		ctx, stop := cli.Interruptible(ctx)
		defer stop()
		follower := &present.Narrator{Out: io.Discard, Notes: a.Stderr, States: !c.JSON()}
		code := cli.ExitOK
		err := a.changeEach(ctx, c.Output, ids, func(id string) (result, error) {
			job, err := a.followToEnd(ctx, c, caller, id, client.FollowOptions{OmitLog: true}, follower)
			if err == nil && code == cli.ExitOK {
				code = exitOfJob(job)
			}
			return result{message: job, line: fmt.Sprintf("job %s %s", job.GetId(), present.Outcome(job))}, err
		})
		if err != nil {
			return err
		}
		return cli.ExitWith(code)
	})
	return cmd
}

// jobRerun returns `switchyard job rerun`.
func (a *app) jobRerun() *cobra.Command {
	cmd := cli.Command("rerun ID", "submit a job that has ended again, as it was submitted", cli.OneArg("job ID"))
	cmd.Long = `Submits a job that has ended again, as it was submitted, with its secret variables, and
writes the ID of the new job. The two are independent: the new one may be run again too.`
	var wait bool
	var key string
	cli.Settings(cmd, "job").Bool(&wait, "wait,w", "write the log as it comes, and exit as the job does")
	cli.PerCall(cmd).Text(&key, "idempotency-key", "KEY", "calls with the same key are the same job")
	c := connectionFlags(cmd)
	c.patienceFlag(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		ctx, stop := cli.Interruptible(ctx)
		defer stop()
		job, err := caller.RerunJob(ctx, ids[0], key)
		switch {
		case err != nil:
			return uncertain(err)
		case wait:
			return a.waitForJob(ctx, c, caller, &switchyardv1.SubmitJobResponse{Job: job})
		}
		return write(a, c.Output, job, func(io.Writer, *switchyardv1.Job) error { return a.Printf("%s\n", job.GetId()) })
	})
	return cmd
}

// uncertain adds to the error of a submission without a response what that means.
func uncertain(err error) error {
	if failed, ok := errors.AsType[*client.Error](err); ok && failed.Uncertain() && !failed.NotDone() {
		return fmt.Errorf("%w; the job may have been stored: with --idempotency-key it can be submitted again as the same job", err)
	}
	return err
}
