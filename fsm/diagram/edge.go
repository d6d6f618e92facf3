package diagram

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// RoleOf returns the role whose colors a state has: that of its owner, or that
// of the change between two owners in Reclaiming.
func RoleOf(s fsm.State) svg.Role {
	switch {
	case s == fsm.Reclaiming:
		return svg.Returning
	case s.Owner() == fsm.OwnerStream:
		return svg.Stream
	case s.Owner() == fsm.OwnerPoller:
		return svg.Poller
	default:
		return svg.Stopped
	}
}

// edge is all the rows of the table between one state and another.
type edge struct {
	between

	rows []fsm.Row
}

type between struct{ from, to fsm.State }

// edgesOf groups the rows into edges, ordered by their states, without those
// that the options hide. Programs with their own layout begin with the first
// edge, which is one of the stream.
func edgesOf(rows []fsm.Row, o Options) []edge {
	var edges []edge
	for _, r := range rows {
		if r.From == r.To && !o.SelfLoops {
			continue
		}
		b := between{r.From, r.To}
		at := slices.IndexFunc(edges, func(e edge) bool { return e.between == b })
		if at < 0 {
			at = len(edges)
			edges = append(edges, edge{between: b})
		}
		edges[at].rows = append(edges[at].rows, r)
	}
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
	return edges
}

// direction is what a transition means for the control of a worker.
type direction uint8

const (
	begins   direction = iota
	stays              // in the state
	works              // the owner stays the same
	toPoll             // away from the stream
	toStream           // back to the stream
	leaves
)

func (b between) direction() direction {
	nearness := func(s fsm.State) int {
		return slices.Index([]string{svg.Stopped.Class, svg.Poller.Class, svg.Returning.Class, svg.Stream.Class}, RoleOf(s).Class)
	}
	switch {
	case b.from == b.to:
		return stays
	case b.from == fsm.Initial:
		return begins
	case b.to == fsm.Stopped:
		return leaves
	case nearness(b.to) < nearness(b.from):
		return toPoll
	case nearness(b.to) > nearness(b.from):
		return toStream
	default:
		return works
	}
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

// rowLine returns a row on one line, such as "PollDue [polling allowed] / send ping".
func rowLine(r *fsm.Row, o Options) string {
	line := r.On.String()
	if o.Guards {
		line = r.Name()
	}
	if o.Effects && len(r.Do) > 0 {
		line += " / " + actionNames(r)
	}
	return line
}

func actionNames(r *fsm.Row) string {
	names := make([]string, len(r.Do))
	for i, a := range r.Do {
		names[i] = a.Name
	}
	return strings.Join(names, ", ")
}
