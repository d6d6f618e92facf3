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

// group is what a table has for one state and event.
type group struct {
	rows    []Row
	names   []string // of the rows, so that no step has to build one
	ignored string
}

// Table is a machine as a value: its rows, and the pairs of a state and an
// event that it does not answer. It never changes, so that it may be used
// concurrently. There is one that workers run on, Default; others are made from
// its rows to see what a change of it would mean.
type Table struct {
	rows    []Row
	ignored []Ignored
	groups  [stateCount][eventKindCount]group
}

// NewTable returns a table of its own with copies of the rows and pairs.
func NewTable(rows []Row, pairs []Ignored) *Table {
	t := &Table{rows: slices.Clone(rows), ignored: slices.Clone(pairs)}
	for _, r := range rows {
		at := &t.groups[r.From][r.On]
		at.rows = append(at.rows, r)
		at.names = append(at.names, r.Name())
	}
	for _, p := range pairs {
		t.groups[p.From][p.On].ignored = p.Why
	}
	return t
}

var defaultTable = NewTable(table, ignored)

// Default returns the table that every Machine runs on.
func Default() *Table { return defaultTable }

// Rows returns the rows in their order, in a slice of the caller's own.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// IgnoredPairs returns what the table ignores and why, in a slice of the
// caller's own.
func (t *Table) IgnoredPairs() []Ignored { return slices.Clone(t.ignored) }

// Rows returns the rows of the default table, in a slice of the caller's own.
func Rows() []Row { return defaultTable.Rows() }

// IgnoredPairs returns what the default table ignores and why, in a slice of
// the caller's own.
func IgnoredPairs() []Ignored { return defaultTable.IgnoredPairs() }

// Next returns the default table's answer to an event in a state with some
// facts. It changes nothing, and depends on nothing else.
func Next(s State, f *Facts, ev Event) Decision { return defaultTable.Next(s, f, ev) }

// Next returns the table's answer to an event in a state with some facts. It
// changes nothing, and depends on nothing else.
func (t *Table) Next(s State, f *Facts, ev Event) Decision {
	var d Decision
	t.decide(&d, s, f, ev)
	return d
}

// decide is Next in place, so that a Machine needs no memory for it.
func (t *Table) decide(d *Decision, s State, f *Facts, ev Event) {
	*d = Decision{ev: ev}
	if int(s) >= stateCount || int(ev.Kind) >= eventKindCount {
		d.Ignored = "no such state or event"
		return
	}
	g := &t.groups[s][ev.Kind]
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

// Advance is Table.Advance of the default table.
func Advance(s State, f *Facts, ev Event) (State, Facts, []Effect, Decision) {
	return defaultTable.Advance(s, f, ev)
}

// Advance returns the state, the facts and the effects that follow from an
// event, and the decision behind them. It is what a Machine does, as a
// function: the facts that it is given stay as they are.
func (t *Table) Advance(s State, f *Facts, ev Event) (State, Facts, []Effect, Decision) {
	d := t.Next(s, f, ev)
	after := *f
	if d.Row == nil {
		return s, after, nil, d
	}
	a := acting{facts: &after}
	a.carryOut(&d)
	return d.Row.To, after, a.effects, d
}
