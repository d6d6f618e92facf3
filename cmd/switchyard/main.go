// Command switchyard runs the control plane and the agent, and has the commands
// for people and programs. See `switchyard --help`.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// programName is the name of the program in messages and in its help.
const programName = "switchyard"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run runs the command that args name, writes an error as one line to stderr, and
// returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitOK
	}
	code, silent := exitCode(err)
	if !silent {
		lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
		a.notef("%s", strings.Join(lines, "; "))
	}
	return code
}

// app is one run of the program. Its methods that return a command declare it.
type app struct{ stdout, stderr io.Writer }

// notef writes a line for people to standard error.
func (a *app) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, programName+": "+format+"\n", args...) // there is no other place to report it
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) error {
	if _, err := fmt.Fprintf(a.stdout, format, args...); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
