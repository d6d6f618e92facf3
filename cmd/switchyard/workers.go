package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workersList returns `switchyard workers list`.
func (a *app) workersList() *cobra.Command {
	cmd := cli.Command("list", "list workers, newest first", cli.NoArgs)
	cmd.Long = fmt.Sprintf(listDescription, "workers")
	request := &switchyardv1.ListWorkersRequest{}
	flags := cli.PerCall(cmd)
	cli.List(flags, &request.States, "state", "STATE",
		"only workers in this state: connected, disconnected, lost; may be repeated", cli.Each(present.ParseWorkerState)).
		Default("connected; with --all every state")
	flags.Text(&request.Queue, "queue", "NAME", "only workers of this queue")
	list := newListFlags(flags, "workers", &request.PageToken)
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
		request.Order = list.order()
		if list.all && len(request.GetStates()) == 0 {
			request.States = append(request.States, switchyardv1.WorkerState_WORKER_STATE_CONNECTED,
				switchyardv1.WorkerState_WORKER_STATE_LOST, switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED)
		}
		return writeList(a, c.Output, caller.Workers(ctx, request, list.limit()), "workers", present.Workers)
	})
	return cmd
}

// workersShow returns `switchyard workers show`.
func (a *app) workersShow() *cobra.Command {
	return showOne(a, "show ID-OR-NAME", "show a worker: the state of its machine, its last changes, when it last responded, its job",
		"worker ID or name", (*client.Client).Worker, present.Worker)
}

// workersResume returns `switchyard workers resume`.
func (a *app) workersResume() *cobra.Command {
	return a.changeWorkers("resume", "resume paused workers",
		func(ctx context.Context, c *client.Client, id string) (client.ChangedWorker, error) {
			return c.ResumeWorker(ctx, id)
		}, nil)
}

// workersStop returns `switchyard workers stop`.
func (a *app) workersStop() *cobra.Command {
	var how client.StopOptions
	cmd := a.changeWorkers("stop", "stop workers when their jobs have finished",
		func(ctx context.Context, c *client.Client, id string) (client.ChangedWorker, error) {
			return c.StopWorker(ctx, id, how)
		}, nil)
	flags := cli.PerCall(cmd)
	flags.Bool(&how.Force, "force", "cancel the jobs that run instead of waiting for them")
	flags.Bool(&how.NoRetry, "no-retry", "with --force: do not retry the canceled jobs")
	reasonFlag(cmd, &how.Reason, "stopped")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if how.NoRetry && !how.Force {
			return cli.Usagef(cmd, "--no-retry needs --force: without it no job is canceled")
		}
		return nil
	}
	return cmd
}

// workersRevoke returns `switchyard workers revoke`.
func (a *app) workersRevoke() *cobra.Command {
	var reason string
	cmd := a.changeWorkers("revoke", "turn workers away for good: their sessions and the tokens of their jobs are refused",
		func(ctx context.Context, c *client.Client, id string) (client.ChangedWorker, error) {
			return c.RevokeWorker(ctx, id, reason)
		}, nil)
	cmd.Long = `Turns workers away for good: their sessions and the tokens of their jobs are refused
from now on. A job that a worker runs is lost at once, and retried if retries are left;
one that it did not start goes back to its queue. The agent ends the process of the job,
keeps what it could not deliver, and exits with status 29. Started again, it may register
a new worker with its registration token: to keep it out, give it a token of its own and
revoke that (token revoke).`
	reasonFlag(cmd, &reason, "revoked")
	return cmd
}

// changeWorkers returns a command that makes one change to each worker that is named on
// the command line, or selected by flags. Unless it is nil, afterwards is called at the end,
// also if some of the changes failed.
func (a *app) changeWorkers(
	name, short string, change func(ctx context.Context, c *client.Client, id string) (client.ChangedWorker, error),
	afterwards func(ctx context.Context, c *client.Client) error,
) *cobra.Command {
	cmd := cli.Command(name+" {ID-OR-NAME... | --queue NAME | --tag KEY=VALUE | --all}", short, nil)
	cmd.DisableFlagsInUseLine = true
	selected := newSelection(cmd, "worker", "worker ID or name")
	cli.List(cli.PerCall(cmd), &selected.tags, "tag", "KEY=VALUE",
		"every connected worker with this tag; may be repeated, for workers with all of them", cli.Each(cli.AnyText))
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, ids []string) error {
		ids, err := selected.workers(ctx, a, caller, ids)
		if err != nil {
			return err
		}
		err = a.changeEach(ctx, c.Output, ids, func(id string) (result, error) {
			r, err := change(ctx, caller, id)
			if err != nil {
				return result{}, err
			}
			w := r.GetWorker()
			line := fmt.Sprintf("worker %s (%s) %s", present.Safe(w.GetName()), w.GetId(), present.WorkerSummary(w))
			return result{w, line, r.GetUnchanged()}, nil
		})
		if afterwards != nil && ctx.Err() == nil {
			err = errors.Join(err, afterwards(ctx, caller))
		}
		return err
	})
	return cmd
}
