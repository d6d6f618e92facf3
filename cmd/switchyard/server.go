package main

import "github.com/urfave/cli/v3"

// server is `switchyard server`.
func (a *app) server() *cli.Command {
	return &cli.Command{
		Name:     "server",
		Usage:    "run a control plane",
		Commands: []*cli.Command{a.serverStart()},
	}
}
