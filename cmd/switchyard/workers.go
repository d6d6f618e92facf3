package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workers is `switchyard workers`, which holds the commands about workers.
func (a *app) workers() *cli.Command {
	return &cli.Command{
		Name:  "workers",
		Usage: "list the workers of workers, and tell them to pause, go on or leave",
		Commands: []*cli.Command{
			a.workersList(),
			a.workersPause(),
			a.workersResume(),
			a.workersStop(),
		},
	}
}

// changeWorkers makes one change to every worker named on the command line, in
// order, up to the first that fails.
func (a *app) changeWorkers(
	ctx context.Context, cmd *cli.Command,
	change func(c *client.Client, id string) (*switchyardv1.Worker, error),
) error {
	ids, err := someArguments(cmd, "worker's id or name")
	if err != nil {
		return err
	}
	c, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		worker, err := change(c, id)
		if err != nil {
			return err
		}
		if asJSON(cmd) {
			err = present.JSON(a.stdout, worker)
		} else {
			err = a.printf("worker %s (%s) %s\n", present.Safe(worker.GetName()), worker.GetId(), present.WorkerStanding(worker))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
