package fsm

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

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
	facts Facts // after the event and before the actions, when a row is taken
}

// group is what a table has for one state and event.
type group struct {
	rows    []Row
	names   []string // of the rows, so that no step has to build one
	ignored string
}

// Table is a machine as a value: its rows, and the pairs of a state and an
// event that it ignores. It never changes, and may be used concurrently. Workers
// run on Default; other tables are made from its rows to explore changes.
type Table struct {
	rows    []Row
	ignored []Ignored
	groups  [stateCount][eventKindCount]group
}

// NewTable returns a table with copies of the rows and pairs.
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

// Rows returns a copy of the rows, in their order.
func (t *Table) Rows() []Row { return slices.Clone(t.rows) }

// IgnoredPairs returns a copy of the pairs that the table ignores.
func (t *Table) IgnoredPairs() []Ignored { return slices.Clone(t.ignored) }

// Rows returns a copy of the rows of the default table.
func Rows() []Row { return defaultTable.Rows() }

// IgnoredPairs returns a copy of the pairs that the default table ignores.
func IgnoredPairs() []Ignored { return defaultTable.IgnoredPairs() }

// Next returns the table's answer to an event in state s with facts f. It is a
// pure function.
func (t *Table) Next(s State, f *Facts, ev Event) Decision {
	var d Decision
	t.decide(&d, s, f, ev)
	return d
}

// decide is Next in place, so that a Machine allocates nothing for it.
func (t *Table) decide(d *Decision, s State, f *Facts, ev Event) {
	*d = Decision{ev: ev}
	if s >= stateCount || ev.Kind >= eventKindCount {
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
	d.facts = f.applyEvent(ev)
	for i := range g.rows {
		if g.rows[i].When.holds(view{&d.facts, ev}) {
			d.Row, d.Name, d.Ignored = &g.rows[i], g.names[i], ""
			return
		}
	}
}

// Advance is Table.Advance of the default table.
func Advance(s State, f *Facts, ev Event) (State, Facts, []Effect, Decision) {
	return defaultTable.Advance(s, f, ev)
}

// Advance returns the state, the facts and the effects that follow from an
// event, and the decision behind them. It does what a Machine does, as a pure
// function.
func (t *Table) Advance(s State, f *Facts, ev Event) (State, Facts, []Effect, Decision) {
	d := t.Next(s, f, ev)
	after := *f
	if d.Row == nil {
		return s, after, nil, d
	}
	x := execution{facts: &after}
	x.perform(&d)
	return d.Row.To, after, x.effects, d
}

// hashBytes is how much of the digest names a version of the table.
const hashBytes = 8

// TableHash returns the hash of the default table.
func TableHash() string { return defaultTable.Hash() }

// Hash returns the name of this version of the table: 16 hexadecimal digits,
// the same in every run and on every machine. It changes when a row is added,
// removed or moved, or when its states, event, guard name or action names
// change. The code behind a guard or an action is not part of it.
func (t *Table) Hash() string {
	var text strings.Builder
	for i := range t.rows {
		r := &t.rows[i]
		// No name contains a tab or a newline, so different tables have different texts.
		for _, field := range []string{r.From.String(), r.On.String(), r.When.Name, r.To.String()} {
			text.WriteString(field)
			text.WriteByte('\t')
		}
		for _, action := range r.Do {
			text.WriteString(action.Name)
			text.WriteByte('\t')
		}
		text.WriteByte('\n')
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:hashBytes])
}
