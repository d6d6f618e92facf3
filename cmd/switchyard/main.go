// Command switchyard runs the control plane and the agent, and has the commands
// for people and programs. See `switchyard --help`.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
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

// exitCode returns the exit code for the error of a command, and whether there is
// no message to write.
func exitCode(err error) (code int, silent bool) {
	if exit, ok := errors.AsType[*cli.ExitError](err); ok {
		return exit.Code, exit.Err == nil
	}
	if interrupted, ok := errors.AsType[cli.InterruptedError](err); ok {
		return cli.ExitSignal + int(interrupted.Signal), false
	}
	if _, ok := errors.AsType[*cli.UsageError](err); ok {
		return cli.ExitUsage, false
	}
	if refused, ok := errors.AsType[*client.Error](err); ok && refused.Code == connect.CodeInvalidArgument {
		return cli.ExitUsage, false
	}
	return cli.ExitFailure, false
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
