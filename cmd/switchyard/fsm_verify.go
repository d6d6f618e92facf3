package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify"
	"github.com/switchyard-ci/switchyard/internal/cli"
)

const verifyDescription = `Explores every state that a worker's machine can reach, together with a model of
its surroundings: a control plane that assigns, pauses and disconnects, a stream
that is lost while messages are on their way, pings whose answers arrive late. In
each state it checks the properties of the design. A violation is reported with a
shortest way to it, as a script for "fsm replay". A row of the table that is never
taken is an error too, unless modes are left out.

Larger bounds take more time and memory, without limit; the defaults take less than
a minute on two processors.

Exit codes: 0 when every property holds and every row is taken, 1 when not, or when
the exploration was not finished, 2 when a bound is out of range.`

// Modes of the directory and files of scripts; the umask restricts them.
const (
	scriptsMode = 0o755
	scriptMode  = 0o644
)

// fsmVerify returns `switchyard fsm verify`.
func (a *app) fsmVerify() *cobra.Command {
	cmd := cli.Command("verify", "check every reachable state of the machine", cli.NoArgs)
	cmd.Long = verifyDescription
	var rows bool
	var scripts string
	o := verify.Options{Bounds: verify.DefaultBounds()}
	o.Bounds.InFlight = 0
	flags := cli.PerCall(cmd)
	bound := func(target *uint8, name, usage string) cli.Flag {
		return cli.Var(flags, target, name, "NUMBER", usage, cli.Number[uint8](0, math.MaxUint8))
	}
	bound(&o.Bounds.Jobs, "jobs", "number of jobs")
	bound(&o.Bounds.InFlight, "in-flight", "most messages of the stream on their way at once; more than jobs").Default("jobs + 1")
	bound(&o.Bounds.Losses, "losses", "most lost or refused connections; 0 is any number")
	bound(&o.Bounds.Pauses, "pauses", "most pauses of the worker; 0 is any number")
	cli.List(flags, &o.Modes, "mode", "MODE",
		"only workers in this mode: "+modeNames()+"; may be a list with commas, or repeated", parseModes).Default("all")
	flags.Bool(&rows, "rows", "show how each row of the table was taken, and under which guard")
	flags.File(&scripts, "scripts", "DIR", "directory for a script of each violation, for fsm replay")
	out := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Bounds.InFlight == 0 && !cmd.Flags().Changed("in-flight") {
			o.Bounds.InFlight = o.Bounds.Jobs + 1
		}
		if err := o.Bounds.Validate(); err != nil {
			return cli.Usagef(cmd, "--%w", err) // it begins with the name of the bound
		}
		if scripts != "" { // before the exploration, which may take minutes
			if err := os.MkdirAll(scripts, scriptsMode); err != nil {
				return fmt.Errorf("making the directory of --scripts: %w", err)
			}
		}
		report, err := a.explore(cmd.Context(), o)
		if err != nil {
			return err
		}
		if out.json() {
			err = a.writeJSON(report)
		} else {
			err = report.WriteText(a.stdout, rows)
		}
		if err != nil {
			return err
		}
		if err := a.writeScripts(scripts, report.Violations); err != nil {
			return err
		}
		if !report.OK {
			return fmt.Errorf("the machine is wrong: %d violations, %d rows never taken", len(report.Violations), len(report.NeverTaken))
		}
		return nil
	}
	return cmd
}

// explore checks every reachable state, or fails when a signal ends it before.
func (a *app) explore(ctx context.Context, o verify.Options) (*verify.Report, error) {
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	a.notef("exploring: %s", o.Bounds)
	report, err := verify.Check(ctx, o)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("no result, because not every state was explored: %w", context.Cause(ctx))
	}
	return report, err
}

// parseModes parses modes that are separated by commas.
func parseModes(text string) ([]fsm.Mode, error) {
	var modes []fsm.Mode
	for word := range strings.SplitSeq(text, ",") {
		mode, ok := fsm.ParseMode(word)
		if !ok {
			return nil, fmt.Errorf("unknown mode %q; the modes are %s", word, modeNames())
		}
		modes = append(modes, mode)
	}
	return modes, nil
}

func modeNames() string {
	return strings.Join([]string{fsm.Auto.String(), fsm.StreamOnly.String(), fsm.PollOnly.String(), fsm.Acquire.String()}, ", ")
}

// writeScripts writes a script of each violation to a file in the directory, and
// its path to standard error. Without a directory it does nothing.
func (a *app) writeScripts(dir string, violations []verify.Violation) error {
	if dir == "" {
		return nil
	}
	for i := range violations {
		path := filepath.Join(dir, violations[i].FileName())
		if err := os.WriteFile(path, []byte(violations[i].Script), scriptMode); err != nil {
			return fmt.Errorf("writing a script: %w", err)
		}
		a.notef("to see it again: %s fsm replay %s", programName, path)
	}
	return nil
}
