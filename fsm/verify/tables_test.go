package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// everything returns a world in which everything happens together to one job of a
// worker without a stream.
func everything() subject {
	return subject{config: fsm.Config{Mode: fsm.PollOnly}, may: pausing | people | crashing, alone: true}
}

// violations explores a world until the first violation, with options.
func violations(t *testing.T, of subject, change func(*Options)) []Violation {
	t.Helper()
	o := smallOptions(fsm.Advance)
	change(o)
	r, err := run(t.Context(), of, o, true)
	if err != nil {
		t.Fatal(err)
	}
	return r.violations
}

// TestWrongJobsAreDetected shows that errors of the job's table are detected by what a
// worker meets.
func TestWrongJobsAreDetected(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	drop := func(rows []lifecycle.Row, at int) []lifecycle.Row { return slices.Delete(rows, at, at+1) }
	to := func(s lifecycle.State) func([]lifecycle.Row, int) []lifecycle.Row {
		return func(rows []lifecycle.Row, at int) []lifecycle.Row {
			rows[at].To = s
			return rows
		}
	}
	without := func(action string) func([]lifecycle.Row, int) []lifecycle.Row {
		return func(rows []lifecycle.Row, at int) []lifecycle.Row {
			i := slices.IndexFunc(rows[at].Do, func(a lifecycle.Action) bool { return strings.Contains(a.Name, action) })
			rows[at].Do = slices.Delete(slices.Clone(rows[at].Do), i, i+1)
			return rows
		}
	}
	for _, c := range []struct {
		from     lifecycle.State
		on       lifecycle.EventKind
		change   func([]lifecycle.Row, int) []lifecycle.Row
		property string
	}{
		{wire.StateAssigned, lifecycle.NotAccepted, drop, "the job's table has no answer"},
		{wire.StateAssigned, lifecycle.Accepted, to(wire.StateAssigned), "an acknowledged acceptance is not stored"},
		{wire.StateAccepted, lifecycle.Started, to(wire.StateAccepted), "an acknowledged start is not stored"},
		{wire.StateAccepted, lifecycle.NotStarted, without("drop tokens"), "a queued job has a worker or a token"},
		{wire.StateRunning, lifecycle.Silent, to(wire.StateQueued), "a job that was started is taken from its worker"},
		{wire.StateRunning, lifecycle.Finished, to(wire.StateRunning), "an acknowledged result is not stored"},
		{wire.StateQueued, lifecycle.CancelRequested, to(wire.StateQueued), "an acknowledged cancellation is not stored"},
		{wire.StateRunning, lifecycle.CancelRequested, without("record cancellation"), "an acknowledged cancellation is not stored"},
		{wire.StateRunning, lifecycle.Silent, to(wire.StateRunning), "a job never ends"},
		{wire.StateQueued, lifecycle.Assigned, to(wire.StateQueued), "a queued job has a worker or a token"},
	} {
		t.Run(fmt.Sprintf("%s %v", c.from, c.on), func(t *testing.T) {
			t.Parallel()
			rows := lifecycle.Rows()
			for at := len(rows) - 1; at >= 0; at-- {
				if r := &rows[at]; r.From == c.from && r.On == c.on && r.Refuse == "" && r.Changes() {
					rows = c.change(rows, at)
				}
			}
			found := violations(t, everything(), func(o *Options) { o.Jobs = lifecycle.NewTable(rows, lifecycle.IgnoredPairs()) })
			if len(found) == 0 {
				t.Fatal("found nothing")
			}
			if p := found[0].Property; !strings.Contains(p, c.property) {
				t.Errorf("found %q", p)
			}
		})
	}
}

// TestWrongWorkersAreDetected changes each row of the table of a worker's record that
// can be taken here: drops it, and leads it to each other state. Each is detected, but
// for what makes no difference to anybody.
func TestWrongWorkersAreDetected(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	rows := workerstate.Rows()
	tried := 0
	for i := range rows {
		r := &rows[i]
		if !r.Changes() || r.On == workerstate.Registered || r.On == workerstate.LastJobAnnounced {
			continue
		}
		for _, state := range append(workerstate.States(), "") {
			if state == r.To {
				continue
			}
			taken := false
			wrong := func(w workerstate.Worker, ev workerstate.Event) (workerstate.Worker, workerstate.Decision) {
				after, d := workerstate.Next(w, ev)
				if d.Row == nil || d.Row.From != r.From || d.Row.On != r.On || d.Row.When.Name != r.When.Name {
					return after, d
				}
				taken = true
				if after.State = state; state == "" { // the row is dropped
					return w, d
				}
				return after, d
			}
			found := violations(t, everything(), func(o *Options) { o.NextWorker = wrong })
			if taken {
				tried++
			}
			if taken && len(found) == 0 {
				t.Errorf("%s / %s -> %q, not %s, is not detected", r.From, r.Name(), state, r.To)
			}
		}
	}
	t.Logf("%d changes tried", tried)
	if tried < len(rows) {
		t.Error("most rows cannot be taken")
	}
}
