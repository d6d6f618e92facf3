package command

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentdir"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentstatus"
)

const agentStatusDescription = `Shows what the agents of this machine do now: the state of each worker and since
when, its stream, its job, the pings that fail, and the last changes with their cause;
and the results that the control plane does not have yet. It asks them on a socket in
the data directory, as the user that runs them.

Exit codes: 0 when an agent runs, 1 when none does, or one does not respond.`

// shownChanges is how many changes of all workers of an agent are shown.
const shownChanges = 12

// AgentStatus returns `switchyard agent status`.
func (a *App) AgentStatus() *cobra.Command {
	cmd := cli.Command("status", "show what the agents of this machine do now", cli.NoArgs)
	cmd.Long = agentStatusDescription
	dir := NewDataDir(cmd, "data directory of the agents")
	out := OutputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		path, err := dir.Resolve()
		if err != nil {
			return err
		}
		running := 0
		var silent error // of agents that run and do not respond
		for _, place := range agentdir.Places(path) {
			status, err := agentstatus.Ask(cmd.Context(), place.Socket())
			switch {
			case errors.Is(err, agentstatus.ErrNoAgent):
				continue
			case err != nil && cmd.Context().Err() == nil:
				silent = errors.Join(silent, err)
				continue
			case err != nil:
				return err
			}
			running++
			if out.JSON() {
				err = a.WriteJSON(status)
			} else {
				err = a.writeStatus(status, time.Now())
			}
			if err != nil {
				return err
			}
		}
		if silent != nil {
			return silent
		}
		if running == 0 {
			return fmt.Errorf("no agent runs with the data directory %s; if it has another one, name that with --data-dir", path)
		}
		return nil
	}
	return cmd
}

// writeStatus writes the status of an agent for people.
func (a *App) writeStatus(s agent.Status, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "agent %d on %s: queue %s, version %s, up for %v",
		s.PID, printable(s.Hostname), printable(s.Queue), printable(s.Version), agentstatus.Age(now, s.Started))
	if s.Draining {
		b.WriteString(", draining")
	}
	fmt.Fprintf(&b, "\nundelivered results: %s; %d bytes in the spool\n",
		cmp.Or(printable(strings.Join(s.Undelivered, ", ")), "none"), s.SpoolBytes)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "WORKER\tSTATE\tFOR\tSTREAM\tJOB\tFAILED PINGS")
	type change struct {
		agent.Change

		worker string
	}
	var changes []change
	for _, w := range s.Workers {
		state := w.StateName
		if w.Paused {
			state += ",paused"
		}
		failed := "-"
		if w.FailedPings > 0 {
			failed = strconv.Itoa(w.FailedPings) + ": " + w.PingFailure
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%v\t%s\t%s\t%s\n", printable(w.Name), state, agentstatus.Age(now, w.Since), w.Stream,
			cmp.Or(printable(w.JobID), "-"), printable(failed))
		for _, c := range w.Changes {
			changes = append(changes, change{c, w.Name})
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	slices.SortStableFunc(changes, func(a, b change) int { return a.At.Compare(b.At) })
	for _, c := range changes[max(0, len(changes)-shownChanges):] {
		fmt.Fprintf(&b, "%s  %s  %s -> %s  %s", c.At.Local().Format("2006-01-02 15:04:05.000"), printable(c.worker), c.From, c.To, c.Event)
		if c.Cause != "" {
			fmt.Fprintf(&b, ": %s", printable(c.Cause))
		}
		b.WriteByte('\n')
	}
	return a.Printf("%s", b.String())
}

// printable returns a text from outside without what could control a terminal.
func printable(s string) string {
	quoted := strconv.Quote(s)
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(quoted[1 : len(quoted)-1])
}
