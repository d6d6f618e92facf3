// Command switchyard-agent is the agent alone, for fleets: it has those commands of
// switchyard that a machine needs which runs jobs. See `switchyard-agent --help`.
package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
)

// programName is the name of the program in messages and in its help.
const programName = "switchyard-agent"

const rootDescription = `The agent of Switchyard alone: it takes jobs from a control plane and runs them on
this machine. The program switchyard has the same commands, and those of the control
plane and for people.

A setting has four sources. In order of precedence: its flag, its environment
variable, the YAML file that --config names, its default. The help of a command
shows for each flag the variable as [$NAME] and the key in the file as [KEY]; both
are those of switchyard.`

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command that args name, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &command.App{Name: programName, Stdout: stdout, Stderr: stderr}
	return a.Run(ctx, root(a), args, command.ExitCode)
}

// root returns the program's root command.
func root(a *command.App) *cobra.Command {
	root := &cobra.Command{
		Use:     programName,
		Short:   "run the jobs of a Switchyard control plane on this machine",
		Long:    rootDescription,
		Version: command.ReadVersion().Version,
	}
	root.AddCommand(
		cli.Group("agent", "run an agent on this machine", a.AgentStart(), a.AgentStatus(), a.AgentHistory()),
		cli.Group("config", "check the settings of the agent", a.ConfigCheck()),
		cli.Group("redact", "keep secrets out of a job's log", a.RedactAdd()),
		cli.Group("fsm", "draw and replay the state machine of a worker", a.FSMDiagram(), a.FSMReplay()),
		a.Version(),
	)
	cli.Finish(root)
	return root
}
