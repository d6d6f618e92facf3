package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify"
)

const (
	flagJobs     = "jobs"
	flagInFlight = "in-flight"
	flagLosses   = "losses"
	flagPauses   = "pauses"
	flagRows     = "rows"
	flagScripts  = "scripts"
)

const verifyDescription = `Explores every state that a worker's machine can come to, together with a model
of the rest of the world: a control plane that assigns, pauses and disconnects, a
stream that is lost with messages on their way, pings whose answers are out of
date. In each it looks for a property of the design that does not hold. What it
finds comes with a shortest way to it, as a script for "fsm replay". A row of the
table that is never taken is a finding too, unless modes are left out.

Larger bounds take more time and memory, without end; the defaults take less than
a minute on two processors.

Exit codes: 0 when every property holds and every row is taken, 1 when not, or
when it could not be found out, 2 when the bounds are none.`

// fsmVerify is `switchyard fsm verify`.
func (a *app) fsmVerify() *cli.Command {
	bounds := verify.DefaultBounds()
	return &cli.Command{
		Name:        "verify",
		Usage:       "look for a state of the machine in which it does wrong",
		Description: verifyDescription,
		Flags: []cli.Flag{
			&cli.Uint8Flag{Name: flagJobs, Value: bounds.Jobs, Usage: "explore with this `NUMBER` of jobs"},
			&cli.Uint8Flag{
				Name: flagInFlight, DefaultText: "one more than jobs",
				Usage: "at most this `NUMBER` of messages of the stream on their way at once; more than there are jobs",
			},
			&cli.Uint8Flag{Name: flagLosses, Value: bounds.Losses, Usage: "lose or refuse at most this `NUMBER` of connections; 0 is any number"},
			&cli.Uint8Flag{Name: flagPauses, Value: bounds.Pauses, Usage: "pause the worker at most this `NUMBER` of times; 0 is any number"},
			&cli.StringSliceFlag{
				Name: flagMode, DefaultText: "all",
				Usage: "only workers in this `MODE`: " + strings.Join(modeNames(), ", ") + "; may be a list with commas, or repeated",
			},
			&cli.BoolFlag{Name: flagRows, Usage: "show how each row of the table was taken, and under which guard"},
			&cli.StringFlag{
				Name: flagScripts, TakesFile: true,
				Usage: "write the way to each violation into a file in `DIRECTORY`, for fsm replay",
			},
			a.outputFlag(),
		},
		Action: a.verifyMachine,
	}
}

func (a *app) verifyMachine(ctx context.Context, cmd *cli.Command) error {
	if err := noArguments(cmd); err != nil {
		return err
	}
	options, err := verifyOptions(cmd)
	if err != nil {
		return err
	}
	dir := cmd.String(flagScripts)
	if dir != "" { // now, and not after a minute
		if err := os.MkdirAll(dir, scriptsMode); err != nil {
			return fmt.Errorf("making the directory of --%s: %w", flagScripts, err)
		}
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	a.notef("exploring: %s", options.Bounds)
	report, err := verify.Check(ctx, options)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("nothing is known, for not every state was explored: %w", context.Cause(ctx))
	case err != nil:
		return err
	}
	if asJSON(cmd) {
		err = a.writeJSON(report)
	} else {
		err = report.WriteText(a.stdout, cmd.Bool(flagRows))
	}
	if err != nil {
		return err
	}
	if err := a.writeScripts(dir, report.Violations); err != nil {
		return err
	}
	if !report.OK {
		return fmt.Errorf("the machine does wrong: %d violations, %d rows never taken", len(report.Violations), len(report.NeverTaken))
	}
	return nil
}

// verifyOptions reads what to explore, and refuses what cannot be.
func verifyOptions(cmd *cli.Command) (verify.Options, error) {
	o := verify.Options{Bounds: verify.Bounds{
		Jobs: cmd.Uint8(flagJobs), InFlight: cmd.Uint8(flagJobs) + 1,
		Losses: cmd.Uint8(flagLosses), Pauses: cmd.Uint8(flagPauses),
	}}
	if cmd.IsSet(flagInFlight) {
		o.Bounds.InFlight = cmd.Uint8(flagInFlight)
	}
	if err := o.Bounds.Validate(); err != nil {
		return o, usage(cmd, "--%w", err) // it begins with the name of the bound
	}
	for _, list := range cmd.StringSlice(flagMode) {
		for word := range strings.SplitSeq(list, ",") {
			mode, ok := fsm.ParseMode(word)
			if !ok {
				return o, usage(cmd, "unknown mode %q; the modes are %s", word, strings.Join(modeNames(), ", "))
			}
			o.Modes = append(o.Modes, mode)
		}
	}
	return o, nil
}

func modeNames() []string {
	return []string{fsm.Auto.String(), fsm.StreamOnly.String(), fsm.PollOnly.String(), fsm.Acquire.String()}
}

// What others may do with the scripts is up to the umask: they hold no secret.
const (
	scriptsMode = 0o755
	scriptMode  = 0o644
)

// writeScripts writes the way to each violation into a file of its own, and says
// where on standard error. Without a directory it writes nothing.
func (a *app) writeScripts(dir string, violations []verify.Violation) error {
	if dir == "" {
		return nil
	}
	for i := range violations {
		path := filepath.Join(dir, violations[i].FileName())
		if err := os.WriteFile(path, []byte(violations[i].Script), scriptMode); err != nil {
			return fmt.Errorf("writing a script: %w", err)
		}
		a.notef("to see it again: %s fsm replay %s", name, path)
	}
	return nil
}
