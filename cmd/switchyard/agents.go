package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// agents is `switchyard agents`, which holds the commands about agents.
func (a *app) agents() *cli.Command {
	return &cli.Command{
		Name:  "agents",
		Usage: "list the workers of agents, and tell them to pause, go on or leave",
		Commands: []*cli.Command{
			a.agentsList(),
			a.agentsPause(),
			a.agentsResume(),
			a.agentsStop(),
		},
	}
}

// changeAgents makes one change to every worker named on the command line, in
// order, up to the first that fails.
func (a *app) changeAgents(
	ctx context.Context, cmd *cli.Command,
	change func(c *client.Client, id string) (*switchyardv1.Agent, error),
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
		agent, err := change(c, id)
		if err != nil {
			return err
		}
		if asJSON(cmd) {
			err = present.JSON(a.stdout, agent)
		} else {
			err = a.printf("agent %s (%s) %s\n", present.Safe(agent.GetName()), agent.GetId(), present.AgentStanding(agent))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
