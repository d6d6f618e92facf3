package main

import "github.com/urfave/cli/v3"

// fsm is `switchyard fsm`, which holds the commands about a worker's machine.
func (a *app) fsm() *cli.Command {
	return &cli.Command{
		Name:     "fsm",
		Usage:    "look at the machine that every worker runs",
		Commands: []*cli.Command{a.fsmDiagram(), a.fsmVerify(), a.fsmReplay()},
	}
}
