package command

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/internal/cli"
)

const fsmReplayDescription = `Runs the events of each FILE through the table of this program, and stops at the
first transition that differs from the recorded one. A FILE is a log that was
written with --transition-log, or a script such as those in testdata/scenarios; - is
standard input. Name the files of one log oldest first: log.2 log.1 log. What the
agents of this machine did is shown by agent history, without a FILE.

The output is a timeline of each worker's states, with its jobs, its pings and the
losses of its stream. A worker whose process ended before it left was killed, if the
log goes on with that of another process. A script has no time: its steps are one
second apart. The flags that select what is shown do not change what is checked.

Exit codes: 0 when every transition is as recorded, 1 when one is not or a file
cannot be read, 2 when the command line is wrong.`

const (
	formatSVG = "svg"

	standardInput = "-"

	// MachineWorker is the name of the machine of a worker.
	MachineWorker = "worker"
)

// Chart is a machine that can be drawn beside that of a worker.
type Chart struct {
	Name string
	Draw func() diagram.Chart
}

// FSMDiagram returns `switchyard fsm diagram`.
func (a *App) FSMDiagram(others ...Chart) *cobra.Command {
	formats := make([]string, 0, len(diagram.Formats()))
	states := make([]string, 0, len(fsm.States()))
	for _, format := range diagram.Formats() {
		formats = append(formats, string(format))
	}
	for _, state := range fsm.States()[1:] { // without Initial, which no worker stays in
		states = append(states, state.String())
	}
	cmd := cli.Command("diagram", "draw a machine from its table", cli.NoArgs)
	machineNames := append(make([]string, 0, 1+len(others)), MachineWorker)
	for _, chart := range others {
		machineNames = append(machineNames, chart.Name)
	}
	format, machine, highlight := string(diagram.Mermaid), MachineWorker, ""
	var o diagram.Options
	flags := cli.PerCall(cmd)
	flags.Choice(&format, "format", "FORMAT", "format of the picture: "+strings.Join(formats, ", "), formats...)
	flags.Choice(&machine, "machine", "NAME", "machine to draw: "+strings.Join(machineNames, ", "), machineNames...)
	flags.Bool(&o.Guards, "guards", "show each row of the table, with its event and guard")
	flags.Bool(&o.Effects, "effects", "show each row of the table, with its event and effects")
	flags.Bool(&o.SelfLoops, "self-loops", "show the transitions that stay in their state")
	flags.Choice(&highlight, "highlight", "STATE", "state of a worker to highlight: "+strings.Join(states, ", "), states...)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if highlight != "" && machine != MachineWorker {
			return cli.Usagef(cmd, "--highlight is for the machine of a worker, and --machine is %s", machine)
		}
		o.Highlight, _ = fsm.ParseState(highlight) // without one it is Initial, which highlights nothing
		var err error
		if i := slices.IndexFunc(others, func(c Chart) bool { return c.Name == machine }); i >= 0 {
			chart := others[i].Draw()
			err = chart.Write(a.Stdout, diagram.Format(format), o)
		} else {
			err = diagram.Write(a.Stdout, diagram.Format(format), o)
		}
		if err != nil {
			return fmt.Errorf("drawing the machine: %w", err)
		}
		return nil
	}
	return cmd
}

// FSMReplay returns `switchyard fsm replay`.
func (a *App) FSMReplay() *cobra.Command {
	cmd := cli.Command("replay FILE...", "run a recorded log or a script through the table", cli.SomeArgs("file"))
	cmd.Long = fsmReplayDescription
	format := FormatText
	cli.PerCall(cmd).Choice(&format, "format", "FORMAT", "format of the timeline: text, json or svg", FormatText, FormatJSON, formatSVG)
	filter := filterFlags(cmd)
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		var p replay.Replay
		failed := replayFiles(&p, files)
		if failed != nil && len(p.Records) == 0 {
			return failed // there is nothing to draw
		}
		found, unknown := filter.Resolve(p.Records)
		if unknown != nil {
			return errors.Join(failed, unknown)
		}
		t := p.Timeline(found)
		if len(t.Workers) == 0 && len(p.Records) > 0 {
			return errors.Join(failed, errNothingSelected)
		}
		draw := map[string]func(io.Writer) error{FormatText: t.WriteText, FormatJSON: t.WriteJSON, formatSVG: t.WriteSVG}[format]
		if err := draw(a.Stdout); err != nil {
			return fmt.Errorf("drawing the timeline: %w", err)
		}
		a.Notef("%s", replaySummary(&p))
		if d, ok := errors.AsType[*replay.DivergenceError](failed); ok {
			a.Notef("%s", d.Detail())
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
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("replaying: %w; for what the agents of this machine did, use agent history", err)
	}
	if err != nil {
		return fmt.Errorf("replaying: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("replaying: %s is a directory, and must be a file", name)
	}
	return p.Read(name, file)
}

// replaySummary returns how many events were checked, and what could not be.
func replaySummary(p *replay.Replay) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s as the table answers", count(p.Checked, "event"))
	if p.Folded > 0 {
		fmt.Fprintf(&b, "; %s not checked, because those that repeat are one record", count(p.Folded, "event"))
	}
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
