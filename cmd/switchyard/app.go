package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"connectrpc.com/connect"
	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/config"
)

// name is what the program calls itself, in messages and in help.
const name = "switchyard"

// app is one run of the command line.
type app struct {
	args           []string
	stdout, stderr io.Writer
	settings       *config.Settings
}

// run is the whole program: it runs the command that args name, writes an error
// as one line to stderr, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{args: args, stdout: stdout, stderr: stderr}
	root := a.root()
	// The path is asked for once the flags are parsed.
	a.settings = config.New(func() string { return root.String(flagConfig) }, os.LookupEnv)
	a.build(root)
	return a.report(root.Run(ctx, args))
}

// report writes what went wrong, if anything did, and returns the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	code, shown := exitUsage, err // what the library itself refuses is usage
	if exit, ok := errors.AsType[*exitError](err); ok {
		code, shown = exit.code, exit.err
	}
	if shown != nil {
		a.notef("%s", plain(oneLine(shown.Error())))
	}
	return code
}

// notef writes a line for people to standard error. There is nobody to tell when
// that fails.
func (a *app) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(a.stderr, name+": "+format+"\n", args...)
}

// oneLine joins the lines of a message that has several.
func oneLine(message string) string {
	lines := strings.FieldsFunc(message, func(r rune) bool { return r == '\n' || r == '\r' })
	return strings.Join(lines, "; ")
}

// action makes an Action of a command's work. What it returns is a failure of
// the work, exit code 1, unless it says otherwise, a signal has interrupted it, or
// the control plane has refused what the command line asked for.
func action(work cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, cmd *cli.Command) error {
		if err := checkTexts(cmd); err != nil {
			return err
		}
		err := work(ctx, cmd)
		if _, said := errors.AsType[*exitError](err); said || err == nil {
			return err
		}
		if interrupted, ok := errors.AsType[interruptedError](err); ok {
			return &exitError{code: exitSignal + int(interrupted.signal), err: err}
		}
		if failed, ok := errors.AsType[*client.Error](err); ok && failed.Code == connect.CodeInvalidArgument {
			return &exitError{code: exitUsage, err: err}
		}
		return &exitError{code: exitFailure, err: err}
	}
}
