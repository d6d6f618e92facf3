package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/machines"
)

const fsmReplayDescription = `Runs the events of each FILE through the table of this program, and stops at the
first transition that differs from the recorded one. A FILE is a log that was
written with --transition-log, or a script such as those in testdata/scenarios; - is
standard input. Name the files of one log oldest first: log.2 log.1 log.

The output is a timeline of each worker's states, with its jobs, its pings and the
losses of its stream. A script has no time: its steps are one second apart.

Exit codes: 0 when every transition is as recorded, 1 when one is not or a file
cannot be read, 2 when the command line is wrong.`

const (
	formatSVG = "svg"

	standardInput = "-"

	// The machines that can be drawn.
	machineWorker = "worker"
	machineJob    = "job"
	machineRecord = "worker-record"
)

// fsmDiagram returns `switchyard fsm diagram`.
func (a *app) fsmDiagram() *cobra.Command {
	formats := make([]string, 0, len(diagram.Formats()))
	states := make([]string, 0, len(fsm.States()))
	for _, format := range diagram.Formats() {
		formats = append(formats, string(format))
	}
	for _, state := range fsm.States()[1:] { // without Initial, which no worker stays in
		states = append(states, state.String())
	}
	cmd := cli.Command("diagram", "draw a machine from its table", cli.NoArgs)
	machineNames := []string{machineWorker, machineJob, machineRecord}
	format, machine, highlight := string(diagram.Mermaid), machineWorker, ""
	var o diagram.Options
	flags := cli.PerCall(cmd)
	flags.Choice(&format, "format", "FORMAT", "format of the picture: "+strings.Join(formats, ", "), formats...)
	flags.Choice(&machine, "machine", "NAME", "machine to draw: "+strings.Join(machineNames, ", "), machineNames...)
	flags.Bool(&o.Guards, "guards", "show each row of the table, with its event and guard")
	flags.Bool(&o.Effects, "effects", "show each row of the table, with its event and effects")
	flags.Bool(&o.SelfLoops, "self-loops", "show the transitions that stay in their state")
	flags.Choice(&highlight, "highlight", "STATE", "state of a worker to highlight: "+strings.Join(states, ", "), states...)
	cmd.RunE = func(*cobra.Command, []string) error {
		o.Highlight, _ = fsm.ParseState(highlight) // without one it is Initial, which highlights nothing
		var err error
		switch machine {
		case machineJob:
			chart := machines.Job()
			err = chart.Write(a.stdout, diagram.Format(format), o)
		case machineRecord:
			chart := machines.WorkerRecord()
			err = chart.Write(a.stdout, diagram.Format(format), o)
		default:
			err = diagram.Write(a.stdout, diagram.Format(format), o)
		}
		if err != nil {
			return fmt.Errorf("drawing the machine: %w", err)
		}
		return nil
	}
	return cmd
}

// fsmReplay returns `switchyard fsm replay`.
func (a *app) fsmReplay() *cobra.Command {
	cmd := cli.Command("replay FILE...", "run a recorded log or a script through the table", cli.SomeArgs("file"))
	cmd.Long = fsmReplayDescription
	format := formatText
	cli.PerCall(cmd).Choice(&format, "format", "FORMAT", "format of the timeline: text, json or svg", formatText, formatJSON, formatSVG)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		var p replay.Replay
		failed := replayFiles(&p, files)
		t := replay.NewTimeline(p.Records)
		draw := map[string]func(io.Writer) error{formatText: t.WriteText, formatJSON: t.WriteJSON, formatSVG: t.WriteSVG}[format]
		if err := draw(a.stdout); err != nil {
			return fmt.Errorf("drawing the timeline: %w", err)
		}
		a.notef("%s", replaySummary(&p))
		if d, ok := errors.AsType[*replay.DivergenceError](failed); ok {
			a.notef("%s", d.Detail())
		}
		return failed
	}
	return cmd
}

// replayFiles replays the files in order, up to the first one that fails.
func replayFiles(p *replay.Replay, files []string) error {
	for _, name := range files {
		if err := replayFile(p, name); err != nil {
			return err
		}
	}
	return nil
}

func replayFile(p *replay.Replay, name string) (err error) {
	if name == standardInput {
		return p.Read("standard input", os.Stdin)
	}
	file, err := os.Open(name) //nolint:gosec // the user names it
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return p.Read(name, file)
}

// replaySummary returns how many events were checked, and what could not be.
func replaySummary(p *replay.Replay) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s as the table answers", count(p.Checked, "event"))
	if p.OnFaith > 0 {
		fmt.Fprintf(&b, "; %s not checked, because the events before are not there", count(p.OnFaith, "event"))
	}
	if p.Dropped > 0 {
		fmt.Fprintf(&b, "; %s missing from the log", count(int(p.Dropped), "event")) //nolint:gosec // no log is that long
	}
	if p.Cut {
		b.WriteString("; the last line is incomplete, as after a crash")
	}
	if other := p.OtherTable(); other != "" {
		fmt.Fprintf(&b, "; the log was written by another version of the table, %s", other)
	}
	return b.String()
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
