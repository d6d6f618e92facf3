package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// idlePause is the wait before a paused worker is asked again whether its job has ended.
const idlePause = 500 * time.Millisecond

// workersPause returns `switchyard workers pause`.
func (a *app) workersPause() *cobra.Command {
	var reason string
	var wait bool
	var paused []string // the IDs of those whose jobs are waited for
	cmd := a.changeWorkers("pause", "pause workers: they start no more jobs until they are resumed",
		func(ctx context.Context, c *client.Client, id string) (client.ChangedWorker, error) {
			changed, err := c.PauseWorker(ctx, id, reason)
			if err == nil {
				paused = append(paused, changed.GetWorker().GetId())
			}
			return changed, err
		}, func(ctx context.Context, c *client.Client) error {
			if !wait {
				return nil
			}
			ctx, stop := cli.Interruptible(ctx)
			defer stop()
			return a.awaitIdle(ctx, c, paused)
		})
	cli.PerCall(cmd).Bool(&wait, "wait", "wait until the jobs of the paused workers have ended; Ctrl-C ends the waiting only")
	reasonFlag(cmd, &reason, "paused")
	return cmd
}

// awaitIdle waits until none of the workers has a job. A worker that is lost or has left
// meanwhile is not waited for, which is noted.
func (a *app) awaitIdle(ctx context.Context, caller *client.Client, ids []string) error {
	for _, id := range ids {
		for noted := ""; ; {
			worker, err := caller.Worker(ctx, id)
			if err != nil {
				return err
			}
			job, name := worker.GetJobId(), present.Safe(worker.GetName())
			if job == "" {
				break
			}
			if worker.GetState() != switchyardv1.WorkerState_WORKER_STATE_CONNECTED {
				a.Notef("worker %s is %s, with job %s: it is not waited for", name, present.WorkerState(worker.GetState()), job)
				break
			}
			if job != noted {
				a.Notef("worker %s still has job %s", name, job)
				noted = job
			}
			select {
			case <-time.After(idlePause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}
