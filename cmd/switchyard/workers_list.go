package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workersList is `switchyard workers list`.
func (a *app) workersList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list workers, newest first",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{
				Name: flagState, DefaultText: "connected",
				Usage: "only workers in this `STATE`: connected, disconnected, lost; may be repeated",
			},
			&cli.StringFlag{Name: flagQueue, Usage: "only workers of the queue `NAME`"},
			limitFlag("workers"),
			a.outputFlag(),
		}, a.connectionFlags()...),
		Action: a.listWorkers,
	}
}

func (a *app) listWorkers(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	request := &switchyardv1.ListWorkersRequest{Queue: cmd.String(flagQueue)}
	for _, word := range cmd.StringSlice(flagState) {
		state, err := present.ParseWorkerState(word)
		if err != nil {
			return usage(cmd, "%w", err)
		}
		request.States = append(request.States, state)
	}
	c, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	var workers []*switchyardv1.Worker
	for worker, err := range c.Workers(ctx, request, cmd.Int(flagLimit)) {
		if err != nil {
			return err
		}
		if !asJSON(cmd) { // a table must know its widths first
			workers = append(workers, worker)
			continue
		}
		if err := present.JSON(a.stdout, worker); err != nil {
			return err
		}
	}
	if asJSON(cmd) {
		return nil
	}
	return present.Workers(a.stdout, workers, time.Now())
}
