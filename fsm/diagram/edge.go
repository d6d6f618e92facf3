package diagram

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// edge is all the rows of the table between one state and another.
type edge struct {
	from, to fsm.State
	rows     []fsm.Row
}

// edgesOf gathers the rows into edges, ordered by their states, and leaves out
// what the options do not show. A program that lays a picture out by itself puts
// first what it meets first: the stream, which is where a worker is at home.
func edgesOf(rows []fsm.Row, o Options) []edge {
	var edges []edge
	for _, r := range rows {
		if r.From == r.To && !o.SelfLoops {
			continue
		}
		at := slices.IndexFunc(edges, func(e edge) bool { return e.from == r.From && e.to == r.To })
		if at < 0 {
			at = len(edges)
			edges = append(edges, edge{from: r.From, to: r.To})
		}
		edges[at].rows = append(edges[at].rows, r)
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return edges
}

// direction says what a transition means for the control of a worker.
type direction uint8

const (
	begins direction = iota
	stays            // in the state
	works            // control is where it was
	goesDown
	goesHome
	leaves
)

// nearness tells how near to home a state is: nowhere, with the poller, on the
// way back, with the stream.
func nearness(s fsm.State) int {
	const poller, reclaiming, stream = 1, 2, 3
	switch s {
	case fsm.StreamHealthy, fsm.Running:
		return stream
	case fsm.Reclaiming:
		return reclaiming
	case fsm.FallingBack, fsm.PollingBusy:
		return poller
	case fsm.Initial, fsm.Stopped:
	}
	return 0
}

func (e *edge) direction() direction {
	switch {
	case e.from == e.to:
		return stays
	case e.from == fsm.Initial:
		return begins
	case e.to == fsm.Stopped:
		return leaves
	case nearness(e.to) < nearness(e.from):
		return goesDown
	case nearness(e.to) > nearness(e.from):
		return goesHome
	default:
		return works
	}
}

// events returns the kinds of the edge's events, in the order of the table.
func (e *edge) events() []fsm.EventKind {
	var kinds []fsm.EventKind
	for _, r := range e.rows {
		if !slices.Contains(kinds, r.On) {
			kinds = append(kinds, r.On)
		}
	}
	return kinds
}

// lines returns the edge's label: the caption, or the rows one by one.
func (e *edge) lines(o Options) []string {
	if !o.rowByRow() {
		return e.caption()
	}
	var lines []string
	for i := range e.rows {
		if line := rowLine(&e.rows[i], o); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// rowLine is a row on one line, such as "PollDue [polling allowed] / send ping".
func rowLine(r *fsm.Row, o Options) string {
	line := r.On.String()
	if o.Guards {
		line = r.Name()
	}
	if o.Effects && len(r.Do) > 0 {
		line += " / " + strings.Join(actionNames(r), ", ")
	}
	return line
}

func actionNames(r *fsm.Row) []string {
	names := make([]string, len(r.Do))
	for i, a := range r.Do {
		names[i] = a.Name
	}
	return names
}
