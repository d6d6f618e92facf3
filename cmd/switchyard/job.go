package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// jobList returns `switchyard job list`.
func (a *app) jobList() *cobra.Command {
	cmd := cli.Command("list", "list jobs, newest first", cli.NoArgs)
	cmd.Long = fmt.Sprintf(listDescription, "jobs")
	request := &switchyardv1.ListJobsRequest{}
	flags := cli.PerCall(cmd)
	cli.List(flags, &request.States, "state", "STATE",
		"only jobs in this state: queued, assigned, accepted, running, finished, canceled, lost; may be repeated",
		cli.Each(present.ParseJobState))
	cli.List(flags, &request.Outcomes, "outcome", "OUTCOME",
		"only jobs that ended so: succeeded, failed, canceled, timed-out, lost, never-ran, "+
			"agent-stopped; may be repeated",
		cli.Each(present.ParseJobOutcome))
	flags.Text(&request.Queue, "queue", "NAME", "only jobs of this queue")
	flags.Text(&request.WorkerId, "worker", "WORKER", "only jobs of the worker with this ID, beginning of an ID or name")
	var failed, lost bool
	flags.Bool(&failed, "failed", "only jobs that failed, timed out or never ran; with --lost, both kinds")
	flags.Bool(&lost, "lost", "only jobs that are lost: how they ended is not known")
	waiting := time.Duration(0)
	isWaiting := cli.Var(flags, &waiting, "waiting-longer-than", "DURATION",
		"only jobs that are queued, and were submitted longer ago", cli.NotNegative).Default("")
	momentFlag(flags, &request.Since, "since", "only jobs submitted then or later")
	momentFlag(flags, &request.Until, "until", "only jobs submitted before then")
	list := newListFlags(flags, "jobs", &request.PageToken)
	c := connectionFlags(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		since, until := request.GetSince(), request.GetUntil()
		switch {
		case isWaiting.IsSet() && (len(request.GetStates()) > 0 || until != nil):
			return cli.Usagef(cmd, "--waiting-longer-than cannot be used with --state or --until")
		case since != nil && until != nil && !since.AsTime().Before(until.AsTime()):
			return cli.Usagef(cmd, "--since must be earlier than --until")
		}
		return nil
	}
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
		request.Order = list.order()
		if failed {
			request.Outcomes = append(request.Outcomes, switchyardv1.JobOutcome_JOB_OUTCOME_FAILED,
				switchyardv1.JobOutcome_JOB_OUTCOME_TIMED_OUT, switchyardv1.JobOutcome_JOB_OUTCOME_NEVER_RAN)
		}
		if lost {
			request.Outcomes = append(request.Outcomes, switchyardv1.JobOutcome_JOB_OUTCOME_LOST)
		}
		if isWaiting.IsSet() {
			request.States = append(request.States, switchyardv1.JobState_JOB_STATE_QUEUED)
			request.Until = timestamppb.New(time.Now().Add(-waiting))
		}
		// A whole ID is used as it is: the jobs of a worker outlive its record.
		if _, err := uuid.Parse(request.GetWorkerId()); err != nil && request.GetWorkerId() != "" {
			worker, err := caller.Worker(ctx, request.GetWorkerId())
			if err != nil {
				return err
			}
			request.WorkerId = worker.GetId()
		}
		return writeList(a, c.Output, caller.Jobs(ctx, request, list.limit()), "jobs", present.Jobs)
	})
	return cmd
}

// jobShow returns `switchyard job show`.
func (a *app) jobShow() *cobra.Command {
	cmd := cli.Command("show ID", "show everything about a job", cli.OneArg("job ID"))
	var secrets bool
	cli.PerCall(cmd).Bool(&secrets, "show-secrets", "show the values of secret variables, with a token of the scope operate")
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		show := caller.Job
		if secrets {
			show = caller.JobWithSecrets
		}
		job, err := show(ctx, ids[0])
		if err != nil {
			return err
		}
		return write(a, c.Output, job, present.Job)
	})
	return cmd
}

// jobCancel returns `switchyard job cancel`.
func (a *app) jobCancel() *cobra.Command {
	cmd := cli.Command("cancel {ID... | --queue NAME | --all}", "cancel jobs: the agent ends a running job; a waiting job never starts", nil)
	cmd.DisableFlagsInUseLine = true
	var reason string
	selected := newSelection(cmd, "job", "job ID")
	cli.List(cli.PerCall(cmd), &selected.states, "state", "STATE", "with --queue or --all: only jobs in this state; may be repeated",
		cli.Each(present.ParseJobState)).Default("every job that has not ended")
	reasonFlag(cmd, &reason, "canceled")
	c := connectionFlags(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, state := range selected.states {
			if state.Final() {
				return cli.Usagef(cmd, "--state is %s: a job in this state has ended, and cannot be canceled", present.JobState(state))
			}
		}
		return nil
	}
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		ids, err := selected.jobs(ctx, a, caller, ids)
		if err != nil {
			return err
		}
		return a.changeEach(ctx, c.Output, ids, func(id string) (result, error) {
			r, err := caller.CancelJob(ctx, id, reason)
			job := r.GetJob()
			if job == nil && selected.byContent() && hasEnded(err) {
				if job, err = caller.Job(ctx, id); err == nil {
					return result{job, fmt.Sprintf("job %s %s before it was canceled", job.GetId(), present.Outcome(job)), false}, nil
				}
			}
			return result{job, fmt.Sprintf("job %s %s", job.GetId(), present.Outcome(job)), r.GetUnchanged()}, err
		})
	})
	return cmd
}

// jobDelete returns `switchyard job delete`.
func (a *app) jobDelete() *cobra.Command {
	cmd := cli.Command("delete ID...", "delete jobs that have ended, with their logs", cli.SomeArgs("job ID"))
	cmd.Long = `Deletes jobs that have ended, with their logs and idempotency keys, before their time
of keeping is over: see server start --retention. A key that was deleted names a new
job when it is used again. To delete a log only, use job logs --delete.`
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		return a.changeEach(ctx, c.Output, ids, func(id string) (result, error) {
			r, err := caller.DeleteJob(ctx, id, false)
			return result{message: r, line: fmt.Sprintf("job %s deleted", r.GetId())}, err
		})
	})
	return cmd
}

// reasonFlag declares the flag for the reason of a change, for people.
func reasonFlag(cmd *cobra.Command, reason *string, done string) {
	*reason = done + " on the command line"
	cli.Var(cli.PerCall(cmd), reason, "reason", "TEXT", "reason, for people", cli.AnyText)
}
