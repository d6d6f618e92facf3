package main

import "github.com/urfave/cli/v3"

// agent is `switchyard agent`.
func (a *app) agent() *cli.Command {
	return &cli.Command{
		Name:     "agent",
		Usage:    "run an agent on this machine",
		Commands: []*cli.Command{a.agentStart()},
	}
}
