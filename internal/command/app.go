// Package command has what the programs switchyard and switchyard-agent have in common:
// the commands of an agent, and the flags that several commands share. It links neither a
// control plane nor a client of one.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// App is one run of a program. Its methods that return a command declare it.
type App struct {
	Name           string // of the program, in messages
	Stdout, Stderr io.Writer
	// Tracing starts the export of traces that the environment asks for; see tracing.Start.
	// Nil is a program without it.
	Tracing func(ctx context.Context, service string, logger *zap.Logger) (trace.TracerProvider, func(), error)

	checks []check // of config check
}

// Run runs the command that args name, writes an error as one line to Stderr, and
// returns the exit code, which exitCode returns for an error. An error that is silent is
// not written.
func (a *App) Run(ctx context.Context, root *cobra.Command, args []string, exitCode func(error) (code int, silent bool)) int {
	root.SetOut(a.Stdout)
	root.SetErr(a.Stderr)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return cli.ExitOK
	}
	code, silent := exitCode(err)
	if !silent {
		lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
		a.Notef("%s", strings.Join(lines, "; "))
	}
	return code
}

// Notef writes a line for people to standard error.
func (a *App) Notef(format string, args ...any) {
	_, _ = fmt.Fprintf(a.Stderr, a.Name+": "+format+"\n", args...) // there is no other place to report it
}

// Printf writes to standard output.
func (a *App) Printf(format string, args ...any) error {
	if _, err := fmt.Fprintf(a.Stdout, format, args...); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// ExitCode returns the exit code for the error of a command, and whether there is no
// message to write.
func ExitCode(err error) (code int, silent bool) {
	if exit, ok := errors.AsType[*cli.ExitError](err); ok {
		return exit.Code, exit.Err == nil
	}
	if interrupted, ok := errors.AsType[cli.InterruptedError](err); ok {
		return cli.ExitSignal + int(interrupted.Signal), false
	}
	if _, ok := errors.AsType[*cli.UsageError](err); ok {
		return cli.ExitUsage, false
	}
	return cli.ExitFailure, false
}
