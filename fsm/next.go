package fsm

import "slices"

// Decision is the table's answer to one event: a row, or a reason to ignore
// the event.
type Decision struct {
	// Row is the row to take; nil when the event is ignored.
	Row *Row
	// Name is the row's name; empty when the event is ignored.
	Name string
	// Ignored is why the event is ignored; empty when a row is taken.
	Ignored string

	ev    Event
	facts Facts // once the event is known, when a row is taken
}

// group is what the table has for one state and event.
type group struct {
	rows    []Row
	names   []string // of the rows, so that no step has to build one
	ignored string
}

// groups is the table and the ignored pairs, ordered for looking up.
var groups = index(table, ignored)

func index(rows []Row, pairs []Ignored) *[stateCount][eventKindCount]group {
	var g [stateCount][eventKindCount]group
	for _, r := range rows {
		at := &g[r.From][r.On]
		at.rows = append(at.rows, r)
		at.names = append(at.names, r.Name())
	}
	for _, p := range pairs {
		g[p.From][p.On].ignored = p.Why
	}
	return &g
}

// Rows returns the table, in its order, in a slice of the caller's own.
func Rows() []Row { return slices.Clone(table) }

// IgnoredPairs returns what the table ignores and why, in a slice of the
// caller's own.
func IgnoredPairs() []Ignored { return slices.Clone(ignored) }

// Next returns the table's answer to an event in a state with some facts. It
// changes nothing, and depends on nothing else.
func Next(s State, f *Facts, ev Event) Decision {
	var d Decision
	d.decide(s, f, ev)
	return d
}

// decide is Next in place, so that a Machine needs no memory for it.
func (d *Decision) decide(s State, f *Facts, ev Event) {
	*d = Decision{ev: ev}
	if int(s) >= stateCount || int(ev.Kind) >= eventKindCount {
		d.Ignored = "no such state or event"
		return
	}
	g := &groups[s][ev.Kind]
	d.Ignored = g.ignored
	if len(g.rows) == 0 {
		return
	}
	if why := f.stale(ev); why != "" {
		d.Ignored = why
		return
	}
	d.facts = f.heard(ev)
	for i := range g.rows {
		if g.rows[i].When.holds(view{&d.facts, ev}) {
			d.Row, d.Name, d.Ignored = &g.rows[i], g.names[i], ""
			return
		}
	}
}

// carryOut makes the facts what they are after the decision, and appends its
// effects. The decision must have a row.
func (a *acting) carryOut(d *Decision) {
	*a.facts = d.facts
	a.ev = d.ev
	if d.ev.Kind == JobRejected {
		a.facts.Seen.remove(d.ev.Job) // it was not started: it may be offered again
	}
	for _, action := range d.Row.Do {
		action.do(a)
	}
}

// Advance returns the state, the facts and the effects that follow from an
// event, and the decision behind them. It is what a Machine does, as a
// function: the facts that it is given stay as they are.
func Advance(s State, f *Facts, ev Event) (State, Facts, []Effect, Decision) {
	d := Next(s, f, ev)
	after := f.Clone()
	if d.Row == nil {
		return s, after, nil, d
	}
	d.facts.Seen = after.Seen
	a := acting{facts: &after}
	a.carryOut(&d)
	return d.Row.To, after, a.effects, d
}
