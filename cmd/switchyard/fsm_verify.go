package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
	jobverify "github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle/verify"
)

const verifyDescription = `Explores every state that the machines can reach, in two worlds. The worker's: its
machine together with its stored record and the stored jobs, a stream that is lost
while messages are on their way, pings whose answers arrive late, pauses, an agent
that is killed and starts again. The job's: one job and its retry, two agents, one of
them killed or a clone of the other, and a network that loses, delays and repeats
requests and answers. In each state it checks the properties of the design. A
violation is reported with a shortest way to it, as a script: of a worker for "fsm
replay", of a job for testdata/jobs. A row of a table that is never taken is an error
too, unless modes are left out.

Larger bounds take more time and memory, without limit; the defaults take less than
a minute on two processors.

Exit codes: 0 when every property holds and every row is taken, 1 when not, or when
the exploration was not finished, 2 when a bound is out of range.`

// Modes of the directory and files of scripts; the umask restricts them.
const (
	scriptsMode = 0o755
	scriptMode  = 0o644
)

// machineAll stands for both machines that can be explored.
const machineAll = "all"

// exploration is what to explore and how to show it.
type exploration struct {
	machine string
	worker  verify.Options
	job     jobverify.Options
	rows    bool
	scripts string
}

// exploredMachines is the JSON form of the result; a machine that was not explored
// is left out.
type exploredMachines struct {
	OK     bool              `json:"ok"`
	Worker *verify.Report    `json:"worker,omitempty"`
	Job    *jobverify.Report `json:"job,omitempty"`
}

// The machines of the control plane, beside that of a worker.
const (
	machineJob    = "job"
	machineRecord = "worker-record"
)

// fsmVerify returns `switchyard fsm verify`.
func (a *app) fsmVerify() *cobra.Command {
	cmd := cli.Command("verify", "check every reachable state of the machines", cli.NoArgs)
	cmd.Long = verifyDescription
	e := exploration{
		machine: machineAll,
		worker:  verify.Options{Bounds: verify.DefaultBounds()},
		job:     jobverify.Options{Bounds: jobverify.DefaultBounds()},
	}
	o := &e.worker
	o.Bounds.InFlight = 0
	flags := cli.PerCall(cmd)
	bound := func(target *uint8, name, usage string) cli.Flag {
		return cli.Var(flags, target, name, "NUMBER", usage, cli.Number[uint8](0, math.MaxUint8))
	}
	flags.Choice(&e.machine, "machine", "MACHINE", "machine to explore: worker, job or all", command.MachineWorker, machineJob, machineAll)
	bound(&o.Bounds.Jobs, "jobs", "number of jobs of the worker")
	bound(&o.Bounds.InFlight, "in-flight", "most messages of the stream on their way at once; more than jobs").Default("jobs + 1")
	bound(&o.Bounds.Losses, "losses", "most lost or refused connections; 0 is any number")
	bound(&o.Bounds.Pauses, "pauses", "most pauses of the worker; 0 is any number")
	bound(&o.Bounds.Together, "together", "how many of pauses, cancellations and crashes happen together to one job, 1 to 3")
	bound(&e.job.Bounds.InFlight, "job-in-flight", "most requests and answers about a job on their way at once")
	bound(&e.job.Bounds.Kills, "job-kills", "most agents killed in the life of a job")
	bound(&e.job.Bounds.Faults, "job-faults", "most requests and answers about a job lost or repeated; 0 is any number")
	cli.List(flags, &o.Modes, "mode", "MODE",
		"only workers in this mode: "+modeNames()+"; may be a list with commas, or repeated", parseModes).Default("all")
	flags.Bool(&e.rows, "rows", "show how each row of the tables was taken, and under which guard")
	flags.File(&e.scripts, "scripts", "DIR", "directory for a script of each violation, for fsm replay or testdata/jobs")
	out := command.OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Bounds.InFlight == 0 && !cmd.Flags().Changed("in-flight") {
			o.Bounds.InFlight = o.Bounds.Jobs + 1
		}
		for _, err := range []error{o.Bounds.Validate(), e.job.Bounds.Validate()} {
			if err != nil {
				return cli.Usagef(cmd, "--%w", err) // it begins with the name of the bound
			}
		}
		if e.scripts != "" { // before the exploration, which may take minutes
			if err := os.MkdirAll(e.scripts, scriptsMode); err != nil {
				return fmt.Errorf("making the directory of --scripts: %w", err)
			}
		}
		return a.verify(cmd.Context(), &e, out)
	}
	return cmd
}

// verify explores the machines, and shows what it found.
func (a *app) verify(ctx context.Context, e *exploration, out *command.Output) error {
	found := exploredMachines{OK: true}
	violations, neverTaken := 0, 0
	if e.machine != machineJob {
		report, err := explore(ctx, a, e.worker.Bounds, func(ctx context.Context) (*verify.Report, error) {
			return verify.Check(ctx, e.worker)
		})
		if err != nil {
			return err
		}
		found.Worker, found.OK = report, report.OK
		violations, neverTaken = len(report.Violations), len(report.NeverTaken)
	}
	if e.machine != command.MachineWorker {
		report, err := explore(ctx, a, e.job.Bounds, func(ctx context.Context) (*jobverify.Report, error) {
			return jobverify.Check(ctx, e.job)
		})
		if err != nil {
			return err
		}
		found.Job, found.OK = report, found.OK && report.OK
		violations, neverTaken = violations+len(report.Violations), neverTaken+len(report.NeverTaken)
	}
	if err := a.show(&found, e, out); err != nil {
		return err
	}
	if !found.OK {
		return fmt.Errorf("the machine is wrong: %d violations, %d rows never taken", violations, neverTaken)
	}
	return nil
}

// show writes the reports, and the scripts of their violations.
func (a *app) show(found *exploredMachines, e *exploration, out *command.Output) error {
	if out.JSON() {
		if err := a.WriteJSON(found); err != nil {
			return err
		}
	}
	if r := found.Worker; r != nil {
		if err := a.showReport(r.WriteText, e.rows, out); err != nil {
			return err
		}
		for i := range r.Violations {
			v := &r.Violations[i]
			if err := a.writeScript(e.scripts, v.FileName(), v.Script, "to see it again: "+called()+" fsm replay"); err != nil {
				return err
			}
		}
	}
	if r := found.Job; r != nil {
		if err := a.showReport(r.WriteText, e.rows, out); err != nil {
			return err
		}
		for i := range r.Violations {
			v := &r.Violations[i]
			if err := a.writeScript(e.scripts, v.FileName(), v.Script, "written, for testdata/jobs:"); err != nil {
				return err
			}
		}
	}
	return nil
}

// showReport writes a report as text, unless JSON was asked for.
func (a *app) showReport(write func(io.Writer, bool) error, rows bool, out *command.Output) error {
	if out.JSON() {
		return nil
	}
	return write(a.Stdout, rows)
}

// explore checks every reachable state of one kind of machine, or fails when a signal
// ends it before.
func explore[R any](ctx context.Context, a *app, bounds fmt.Stringer, check func(context.Context) (R, error)) (report R, err error) {
	ctx, stop := cli.Interruptible(ctx)
	defer stop()
	a.Notef("exploring: %s", bounds)
	report, err = check(ctx)
	if ctx.Err() != nil {
		var none R
		return none, fmt.Errorf("no result, because not every state was explored: %w", context.Cause(ctx))
	}
	return report, err
}

// parseModes parses modes that are separated by commas.
func parseModes(text string) ([]fsm.Mode, error) {
	var modes []fsm.Mode
	for word := range strings.SplitSeq(text, ",") {
		mode, ok := fsm.ParseMode(word)
		if !ok {
			return nil, fmt.Errorf("must be some of %s", modeNames())
		}
		modes = append(modes, mode)
	}
	return modes, nil
}

func modeNames() string {
	return strings.Join([]string{fsm.Auto.String(), fsm.StreamOnly.String(), fsm.PollOnly.String(), fsm.Acquire.String()}, ", ")
}

// writeScript writes the script of a violation to a file in the directory, and a note with its
// path to standard error. Without a directory it does nothing.
func (a *app) writeScript(dir, name, script, note string) error {
	if dir == "" {
		return nil
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(script), scriptMode); err != nil {
		return fmt.Errorf("writing a script: %w", err)
	}
	a.Notef("%s %s", note, path)
	return nil
}
