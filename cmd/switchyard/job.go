package main

import "github.com/urfave/cli/v3"

// job is `switchyard job`, which holds the commands about jobs.
func (a *app) job() *cli.Command {
	return &cli.Command{
		Name:  "job",
		Usage: "submit jobs and look after them",
		Commands: []*cli.Command{
			a.jobSubmit(),
			a.jobList(),
			a.jobShow(),
			a.jobLogs(),
			a.jobCancel(),
		},
	}
}
