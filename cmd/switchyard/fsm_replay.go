package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/fsm/replay"
)

const fsmReplayDescription = `Runs what is recorded in each FILE through the table of this program, and stops at
the first place where the table answers otherwise. A FILE is a log that was written
with --transition-log, or a script such as those in testdata/scenarios; - is
standard input. The files of one log are named oldest first: log.2 log.1 log.

What was read is drawn as a timeline of each worker's states, with its jobs and
pings and the losses of its stream. A script has no time: its steps are a second
apart.

Exit codes: 0 when the table answers as it is recorded, 1 when it does not or a file
cannot be read, 2 when the command is wrong.`

const (
	formatText = "text"
	formatJSON = "json"
	formatSVG  = "svg"

	standardInput = "-"
)

// fsmReplay is `switchyard fsm replay FILE...`.
func (a *app) fsmReplay() *cli.Command {
	return &cli.Command{
		Name:        "replay",
		Usage:       "run a recorded log, or a script, through the table",
		Description: fsmReplayDescription,
		ArgsUsage:   "FILE...",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: flagFormat, Value: formatText, Usage: "draw the timeline as `FORMAT`: text, json or svg",
				Validator: oneOf(formatText, formatJSON, formatSVG),
			},
		},
		Action: func(_ context.Context, cmd *cli.Command) error {
			files, err := someArguments(cmd, "file")
			if err != nil {
				return err
			}
			var p replay.Replay
			failed := readAll(&p, files)
			if err := a.writeTimeline(cmd.String(flagFormat), replay.NewTimeline(p.Records)); err != nil {
				return err
			}
			a.notef("%s", account(&p))
			if d, diverges := errors.AsType[*replay.DivergenceError](failed); diverges {
				a.notef("%s", d.Detail())
			}
			return failed
		},
	}
}

// readAll replays the files in their order, up to the first that does not hold.
func readAll(p *replay.Replay, files []string) error {
	for _, name := range files {
		if err := readOne(p, name); err != nil {
			return err
		}
	}
	return nil
}

func readOne(p *replay.Replay, name string) (err error) {
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

func (a *app) writeTimeline(format string, t *replay.Timeline) error {
	write := map[string]func(io.Writer) error{
		formatText: t.WriteText, formatJSON: t.WriteJSON, formatSVG: t.WriteSVG,
	}[format]
	if err := write(a.stdout); err != nil {
		return fmt.Errorf("drawing the timeline: %w", err)
	}
	return nil
}

// account says how much of what was read the table answered as recorded.
func account(p *replay.Replay) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s as the table answers", count(p.Checked, "event"))
	if p.OnFaith > 0 {
		fmt.Fprintf(&b, "; %s not checked, since what came before is not there", count(p.OnFaith, "event"))
	}
	if p.Dropped > 0 {
		fmt.Fprintf(&b, "; %s missing from the log", count(int(p.Dropped), "event")) //nolint:gosec // no log is that long
	}
	if p.Cut {
		b.WriteString("; the last line is cut off, as when its writer was killed")
	}
	if other := p.OtherTable(); other != "" {
		fmt.Fprintf(&b, "; the log was written by another version of the table, %s", other)
	}
	return b.String()
}

// count is a number of things, in words.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
