package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// queueList returns `switchyard queue list`.
func (a *app) queueList() *cobra.Command {
	cmd := cli.Command("list", "list queues: their jobs, their workers, and why jobs wait", cli.NoArgs)
	cmd.Long = `Lists the queues that have jobs that have not ended, workers or a pause, by name.

  QUEUED   jobs that wait for a worker; OLDEST is for how long the oldest does
  RUNNING  jobs that run, or were offered to a worker
  IDLE...  connected workers by what they do; SILENT is not responding, LOST is those
           whose lease has expired
  NOTE     why the queue is paused, or why its jobs wait`
	request := &switchyardv1.ListQueuesRequest{}
	list := newPageFlags(cli.PerCall(cmd), "queues", &request.PageToken)
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
		return writeList(a, c.Output, caller.Queues(ctx, request, list.limit()), "queues", present.Queues)
	})
	return cmd
}

// queueShow returns `switchyard queue show`.
func (a *app) queueShow() *cobra.Command {
	return showOne(a, "show NAME", "show a queue: its jobs, its workers, and why jobs wait", "queue name",
		(*client.Client).Queue, present.Queue)
}

// queuePause returns `switchyard queue pause`.
func (a *app) queuePause() *cobra.Command {
	var reason string
	cmd := a.changeQueues("pause", "pause queues: none of their jobs is offered to a worker until they are resumed",
		func(ctx context.Context, c *client.Client, name string) (client.ChangedQueue, error) {
			return c.PauseQueue(ctx, name, reason)
		})
	cmd.Long = `Pauses queues: none of their jobs is offered to a worker, and none can be acquired, until
the queue is resumed. Jobs can be submitted, and say that they wait for the queue. Jobs
that run, and those that were offered to a worker before, are not affected. The pause is
stored, and holds at every replica of the control plane.`
	reasonFlag(cmd, &reason, "paused")
	return cmd
}

// queueResume returns `switchyard queue resume`.
func (a *app) queueResume() *cobra.Command {
	return a.changeQueues("resume", "resume paused queues",
		func(ctx context.Context, c *client.Client, name string) (client.ChangedQueue, error) {
			return c.ResumeQueue(ctx, name)
		})
}

// changeQueues returns a command that makes one change to each queue that is named on
// the command line.
func (a *app) changeQueues(
	name, short string, change func(ctx context.Context, c *client.Client, name string) (client.ChangedQueue, error),
) *cobra.Command {
	cmd := cli.Command(name+" NAME...", short, cli.SomeArgs("queue name"))
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, names []string) error {
		return a.changeEach(ctx, c.Output, names, func(name string) (result, error) {
			r, err := change(ctx, caller, name)
			if err != nil {
				return result{}, err
			}
			queue := r.GetQueue()
			return result{queue, fmt.Sprintf("queue %s %s", present.Safe(queue.GetName()), present.QueueSummary(queue)), r.GetUnchanged()}, nil
		})
	})
	return cmd
}
