// Package machines describes the tables of the control plane, of a job and of a
// worker's record, as charts that package diagram draws.
package machines

import (
	"fmt"
	"io"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// lastColumn is that of the rightmost boxes.
const lastColumn = 3

// WritePage writes the page about all machines: that of a worker, and a chapter
// about each one of the control plane.
func WritePage(w io.Writer) error {
	if err := diagram.Write(w, diagram.Markdown, diagram.Options{}); err != nil {
		return err //nolint:wrapcheck // it says what it was
	}
	for _, c := range []diagram.Chart{Job(), WorkerRecord()} {
		if _, err := io.WriteString(w, "\n"); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
		if err := c.Write(w, diagram.Markdown, diagram.Options{}); err != nil {
			return err //nolint:wrapcheck // it says what it was
		}
	}
	return nil
}

// Job returns the machine of a job, from its table.
func Job() diagram.Chart {
	c := diagram.Chart{
		Title: "The states of a job",
		Intro: "What becomes of a job in the control plane, from the table in package lifecycle. A row that refuses an event, or that\n" +
			"stays in its state without an action, changes nothing.",
		Start: "the job was not submitted",
		States: []diagram.ChartState{
			{
				Name: string(wire.StateQueued), Hint: "waits for a worker", Kind: diagram.ChartWaits,
				Meaning: "the job waits for a worker; no token is valid",
			},
			{
				Name: string(wire.StateAssigned), Hint: "offered to a worker", Kind: diagram.ChartHeld, Column: 1,
				Meaning: "the job is offered to one worker",
			},
			{
				Name: string(wire.StateAccepted), Hint: "may be started", Kind: diagram.ChartHeld, Column: 2,
				Meaning: "the worker took the job, and may start it",
			},
			{
				Name: string(wire.StateRunning), Hint: "its process may run", Kind: diagram.ChartWorks, Column: lastColumn,
				Meaning: "the job's process may run; one token acts for it",
			},
			{
				Name: string(wire.StateCanceled), Hint: "ended by a request", Kind: diagram.ChartEnded, Column: 1, Line: 2,
				Meaning: "the job was ended, or kept from starting, by a request",
			},
			{
				Name: string(wire.StateFinished), Hint: "its end is known", Kind: diagram.ChartEnded, Column: 2, Line: 2,
				Meaning: "the job ended, and its result is recorded",
			},
			{
				Name: string(wire.StateLost), Hint: "its end is not known", Kind: diagram.ChartEnded, Column: lastColumn, Line: 2,
				Meaning: "nothing was received about the job for too long; a late result still counts",
			},
		},
	}
	addTable(&c, lifecycle.Rows(), lifecycle.IgnoredPairs(), lifecycle.EventKinds())
	return c
}

// WorkerRecord returns the machine of a worker's record in the control plane, from
// its table.
func WorkerRecord() diagram.Chart {
	c := diagram.Chart{
		Title: "The states of a worker's record",
		Intro: "What the control plane has recorded of a worker, from the table in package workerstate. Whether a job is assigned to the\n" +
			"worker is a fact of that job, and not in its record.",
		Start: "the worker has not registered",
		States: []diagram.ChartState{
			{
				Name: string(workerstate.Available), Hint: "may be assigned jobs", Kind: diagram.ChartWorks, Column: 1,
				Meaning: "the worker may be assigned jobs",
			},
			{
				Name: string(workerstate.Paused), Hint: "takes no job", Kind: diagram.ChartWaits,
				Meaning: "the worker takes no job until it is resumed",
			},
			{
				Name: string(workerstate.Draining), Hint: "finishes its job", Kind: diagram.ChartHeld, Column: 2,
				Meaning: "the worker finishes its job and leaves",
			},
			{
				Name: string(workerstate.Stopped), Hint: "cancels its job", Kind: diagram.ChartHeld, Column: lastColumn,
				Meaning: "the worker must cancel its job and leave",
			},
			{
				Name: string(workerstate.Lost), Hint: "its lease expired", Kind: diagram.ChartWaits, Column: 1, Line: 2,
				Meaning: "the worker did not renew its lease; it may come back",
			},
			{
				Name: string(workerstate.Left), Hint: "never comes back", Kind: diagram.ChartEnded, Column: lastColumn, Line: 2,
				Meaning: "the worker disconnected, and never comes back under the same ID",
			},
		},
	}
	addTable(&c, workerstate.Rows(), workerstate.IgnoredPairs(), workerstate.EventKinds())
	return c
}

// eventKind is a kind of event of a machine.
type eventKind interface {
	comparable
	fmt.Stringer
	Meaning() string
}

// addTable adds a machine's table to its chart, as text.
func addTable[S ~string, K eventKind, R, E, A any](
	c *diagram.Chart, rows []statetable.Row[S, K, R, E, A], ignored []statetable.Ignored[S, K], kinds []K,
) {
	for i := range rows {
		c.Rows = append(c.Rows, rowOf(&rows[i]))
	}
	c.Ignored = ignoredOf(ignored)
	for _, k := range kinds {
		c.Events = append(c.Events, diagram.ChartTerm{Name: k.String(), Meaning: k.Meaning()})
	}
}

// rowOf returns a row of a table as text.
func rowOf[S ~string, K comparable, R, E, A any](r *statetable.Row[S, K, R, E, A]) diagram.ChartRow {
	row := diagram.ChartRow{
		From: string(r.From), On: fmt.Sprint(r.On), When: r.When.Name, To: string(r.To),
		Refuse: strings.TrimSpace(string(r.Refuse)),
	}
	for _, a := range r.Do {
		row.Do = append(row.Do, a.Name)
	}
	return row
}

// ignoredOf returns the ignored pairs of a table as text.
func ignoredOf[S ~string, K comparable](pairs []statetable.Ignored[S, K]) []diagram.ChartIgnored {
	list := make([]diagram.ChartIgnored, len(pairs))
	for i, p := range pairs {
		list[i] = diagram.ChartIgnored{From: string(p.From), On: fmt.Sprint(p.On), Why: p.Why}
	}
	return list
}
