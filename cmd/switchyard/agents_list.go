package main

import (
	"context"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// agentsList is `switchyard agents list`.
func (a *app) agentsList() *cli.Command {
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
		Action: a.listAgents,
	}
}

func (a *app) listAgents(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	request := &switchyardv1.ListAgentsRequest{Queue: cmd.String(flagQueue)}
	for _, word := range cmd.StringSlice(flagState) {
		state, err := present.ParseAgentState(word)
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
	var agents []*switchyardv1.Agent
	for agent, err := range c.Agents(ctx, request, cmd.Int(flagLimit)) {
		if err != nil {
			return err
		}
		if !asJSON(cmd) { // a table must know its widths first
			agents = append(agents, agent)
			continue
		}
		if err := present.JSON(a.stdout, agent); err != nil {
			return err
		}
	}
	if asJSON(cmd) {
		return nil
	}
	return present.Agents(a.stdout, agents, time.Now())
}
