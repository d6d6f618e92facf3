package main

import (
	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/machines"
)

const rootDescription = `Switchyard starts jobs on machines without delay and loses none. An agent on each
machine holds a stream open to a control plane, which pushes jobs down it. When
the stream fails the agent polls; when the stream works again it takes over.

To begin:
  switchyard up                                    in one terminal, and
  switchyard job submit --wait -- echo hello       in another

A setting has four sources. In order of precedence: its flag, its environment
variable, the YAML file that --config names, its default. The help of a command
shows for each flag the variable as [$NAME] and the key in the file as [KEY]; the
key agent.spawn is "spawn:" below "agent:". A flag without them belongs to one
call. Durations are written like 1m30s.

` + exitCodes

// root returns the program's root command.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:     programName,
		Short:   "start jobs on machines without delay, and lose none",
		Long:    rootDescription,
		Version: command.ReadVersion().Version,
	}
	root.AddCommand(
		a.up(),
		cli.Group("server", "run a control plane, back it up and restore it", a.serverStart(), a.serverBackup(), a.serverRestore()),
		cli.Group("agent", "run an agent on this machine", a.AgentStart(), a.AgentStatus(), a.AgentHistory()),
		cli.Group("job", "submit jobs, run them again, list them, follow them, wait for them, cancel and delete them",
			a.jobSubmit(), a.jobRerun(), a.jobList(), a.jobShow(), a.jobLogs(), a.jobWait(), a.jobCancel(), a.jobDelete()),
		cli.Group("workers", "list the workers of agents; pause, resume, stop and revoke them",
			a.workersList(), a.workersShow(), a.workersPause(), a.workersResume(), a.workersStop(), a.workersRevoke()),
		cli.Group("queue", "list queues, show one, pause and resume them",
			a.queueList(), a.queueShow(), a.queuePause(), a.queueResume()),
		cli.Group("token", "create, list and revoke the tokens of people, programs and agents",
			a.tokenCreate(), a.tokenList(), a.tokenRevoke()),
		a.auditLog(),
		cli.Group("config", "check the settings of the services", a.ConfigCheck()),
		cli.Group("redact", "keep secrets out of a job's log", a.RedactAdd()),
		cli.Group("fsm", "draw, verify and replay the state machine of a worker",
			a.FSMDiagram(
				command.Chart{Name: machineJob, Draw: machines.Job},
				command.Chart{Name: machineRecord, Draw: machines.WorkerRecord},
			), a.fsmVerify(), a.FSMReplay()),
		a.deployGroup(),
		a.demo(),
		a.Version(),
	)
	suggest(root)
	cli.Finish(root)
	cli.WarnOfVariables(root, joblink.Variable, process.MarkVariable) // in jobs
	return root
}

// suggest makes errors name a command where people type what other programs call it.
func suggest(root *cobra.Command) {
	words := map[string][]string{
		"workers": {"agent", "worker"}, // as in "agent list"
		"list":    {"ls", "ps"},
		"show":    {"get", "describe", "status", "info"},
		"cancel":  {"stop", "kill", "abort"},
		"delete":  {"rm", "remove"},
		"rerun":   {"retry", "restart"},
		"stop":    {"drain", "shutdown"},
		"create":  {"add", "new"},
		"submit":  {"run", "create"},
	}
	for _, group := range root.Commands() {
		group.SuggestFor = words[group.Name()]
		for _, cmd := range group.Commands() {
			cmd.SuggestFor = words[cmd.Name()]
		}
	}
}
