package main

import "github.com/urfave/cli/v3"

// redact is `switchyard redact`, which holds the commands about what a job's log
// must not show.
func (a *app) redact() *cli.Command {
	return &cli.Command{
		Name:     "redact",
		Usage:    "keep secrets out of a job's log",
		Commands: []*cli.Command{a.redactAdd()},
	}
}
