package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentdir"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentstatus"
)

const agentHistoryDescription = `Shows what the workers of this machine did, from the history that every agent keeps in
the data directory, about 16 MiB of it: the states of each worker over time, with its
jobs, its pings, the losses of its stream and their causes. A worker that did not leave
before its process ended was killed. Times are in UTC. An agent that runs is asked to
write what it has, so run this as the user that runs it.

The output for programs has the lines of the history, a JSON object each; fsm replay
reads them, too: agent history --output json | fsm replay --format svg -

Exit codes: 0 when something is recorded, 1 when nothing is.`

// AgentHistory returns `switchyard agent history`.
func (a *App) AgentHistory() *cobra.Command {
	cmd := cli.Command("history", "show what the workers of this machine did, and why", cli.NoArgs)
	cmd.Long = agentHistoryDescription
	dir := NewDataDir(cmd, "data directory of the agents")
	filter := filterFlags(cmd)
	out := OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, err := dir.Resolve()
		if err != nil {
			return err
		}
		all, records, err := a.readHistory(cmd.Context(), path)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return fmt.Errorf("no agent has recorded anything in the data directory %s; "+
				"if the agents have another one, name that with --data-dir", path)
		}
		found, err := filter.Resolve(records)
		if err != nil {
			return err
		}
		if out.JSON() {
			selected := found.Select(records)
			if !slices.Contains(selected, true) {
				return errNothingSelected
			}
			return a.writeHistoryLines(all, selected)
		}
		t := timelineOf(all, found)
		if len(t.Workers) == 0 {
			return errNothingSelected
		}
		if err := t.WriteText(a.Stdout); err != nil {
			return fmt.Errorf("writing the history: %w", err)
		}
		return nil
	}
	return cmd
}

// agentHistory is what the agents that had one directory have recorded, one after another.
type agentHistory struct {
	files [][]byte // oldest first
	read  *replay.Replay
	runs  bool // the last of them
	at    time.Time
}

// readHistory reads the histories of the agents of a data directory.
func (a *App) readHistory(ctx context.Context, dataDir string) (all []agentHistory, records []fsm.Record, err error) {
	for _, place := range agentdir.Places(dataDir) {
		h := agentHistory{read: &replay.Replay{Unchecked: true}, runs: place.InUse()}
		if h.runs {
			a.flushHistory(ctx, place)
		}
		h.at = time.Now()
		if h.files, err = telemetry.ReadHistory(place.History()); err != nil {
			return nil, nil, err
		}
		for _, text := range h.files {
			if err := h.read.Read(place.History(), bytes.NewReader(text)); err != nil {
				return nil, nil, err
			}
		}
		a.noteMissing(place, h.read)
		all = append(all, h)
		records = append(records, h.read.Records...)
	}
	return all, records, nil
}

// timelineOf returns the timeline of the agents up to now.
func timelineOf(all []agentHistory, f replay.Filter) *replay.Timeline {
	var p replay.Replay
	for _, h := range all {
		if h.runs {
			h.read.Continues(h.at)
		} else {
			h.read.Ended(h.at)
		}
		p.Add(h.read)
	}
	return p.Timeline(f)
}

// flushHistory makes an agent write what it holds back. One that does not respond has written
// everything but the pings of the last minutes that repeat.
func (a *App) flushHistory(ctx context.Context, place agentdir.Place) {
	err := agentstatus.Flush(ctx, place.Socket())
	switch {
	case errors.Is(err, agentstatus.ErrNoAgent):
	case err != nil:
		a.Notef("the last pings of the workers of an agent may be missing: %v", err)
	}
}

// noteMissing writes notes about what is missing in a history.
func (a *App) noteMissing(place agentdir.Place, p *replay.Replay) {
	if p.Dropped > 0 {
		missing := count(int(p.Dropped), "event") //nolint:gosec // no log is that long
		a.Notef("%s missing from %s: the disk was too slow, or full", missing, place.History())
	}
	if p.Unreadable > 0 {
		a.Notef("%s of %s cannot be read", count(p.Unreadable, "line"), place.History())
	}
}

// writeHistoryLines writes the lines of the histories that a filter selects, with the headers
// and gaps. Those of several agents do not name their processes: each history begins with
// a header, and fsm replay would take the workers of the one before as killed.
func (a *App) writeHistoryLines(all []agentHistory, selected []bool) error {
	var b []byte
	for _, h := range all {
		for line := range bytes.Lines(bytes.Join(h.files, nil)) {
			parsed, err := fsm.ParseLogLine(line)
			switch {
			case err != nil: // a note says so
			case parsed.Header != nil && len(all) > 1:
				parsed.Header.Process = ""
				b = parsed.Header.Encode(b)
			case parsed.Record == nil:
				b = append(b, line...)
			default:
				if selected[0] {
					b = append(b, line...)
				}
				selected = selected[1:]
			}
		}
	}
	return a.Printf("%s", b)
}
