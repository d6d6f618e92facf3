// Command switchyard runs the control plane and the agent, and has the commands
// for people and programs. See `switchyard --help`.
package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/telemetry/tracing"
)

// programName is the name of the program in messages and in its help.
const programName = "switchyard"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// called returns the program in commands for people to copy: as it was called, such as
// ./switchyard, because it may not be in PATH.
func called() string { return calledAs(os.Args[0]) }

func calledAs(name string) string {
	if filepath.Base(name) != programName { // a test, or it was renamed
		return programName
	}
	return present.Command([]string{name})
}

// run runs the command that args name, writes an error as one line to stderr, and
// returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{App: command.App{Name: programName, Stdout: stdout, Stderr: stderr, Tracing: tracing.Start}}
	return a.Run(ctx, a.root(), args, exitCode)
}

// app is one run of the program. Its methods that return a command declare it.
type app struct{ command.App }
