package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	flagState = "state"
	flagAgent = "agent"
	flagLimit = "limit"

	defaultLimit = 50
)

// jobList is `switchyard job list`.
func (a *app) jobList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list jobs, newest first",
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{
				Name: flagState, Usage: "only jobs in this `STATE`: queued, assigned, accepted, running, finished, canceled, lost; may be repeated",
			},
			&cli.StringFlag{Name: flagQueue, Usage: "only jobs of the queue `NAME`"},
			&cli.StringFlag{Name: flagAgent, Usage: "only jobs of the agent with this `ID`"},
			limitFlag("jobs"),
			a.outputFlag(),
		}, a.connectionFlags()...),
		Action: a.listJobs,
	}
}

func limitFlag(what string) cli.Flag {
	return &cli.IntFlag{
		Name: flagLimit, Value: defaultLimit, Usage: "at most `NUMBER` " + what + "; 0 is all", Validator: notNegative[int],
	}
}

func (a *app) listJobs(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	request := &switchyardv1.ListJobsRequest{Queue: cmd.String(flagQueue), WorkerId: cmd.String(flagAgent)}
	for _, word := range cmd.StringSlice(flagState) {
		state, err := present.ParseJobState(word)
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
	var jobs []*switchyardv1.Job
	for job, err := range c.Jobs(ctx, request, cmd.Int(flagLimit)) {
		if err != nil {
			return err
		}
		if !asJSON(cmd) { // a table must know its widths first
			jobs = append(jobs, job)
			continue
		}
		if err := present.JSON(a.stdout, job); err != nil {
			return err
		}
	}
	if asJSON(cmd) {
		return nil
	}
	return present.Jobs(a.stdout, jobs, time.Now())
}
