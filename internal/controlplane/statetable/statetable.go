// Package statetable is the form of the control plane's machines: a table of
// rows (from, event, guard, to, actions) as a value. Packages lifecycle and
// workerstate hold the tables; this one looks a row up, and is pure.
package statetable

import (
	"fmt"
	"slices"
	"strings"
)

// Guard is a named condition on what a machine knows of a record (R) before an
// event, and on the event (E).
type Guard[R, E any] struct {
	// Name is the condition in words, such as "token valid". It is empty for the
	// guard of the only row of a state and event.
	Name  string
	Holds func(record *R, ev *E) bool
}

// Always returns the guard of the only row of a state and event.
func Always[R, E any]() Guard[R, E] {
	return Guard[R, E]{"", func(*R, *E) bool { return true }}
}

// Otherwise returns the guard of the last of several rows.
func Otherwise[R, E any]() Guard[R, E] {
	return Guard[R, E]{"otherwise", func(*R, *E) bool { return true }}
}

// All returns the guard that holds when each of the guards does.
func All[R, E any](guards ...Guard[R, E]) Guard[R, E] {
	names := make([]string, len(guards))
	for i, g := range guards {
		names[i] = g.Name
	}
	return Guard[R, E]{strings.Join(names, ", "), func(record *R, ev *E) bool {
		return !slices.ContainsFunc(guards, func(g Guard[R, E]) bool { return !g.Holds(record, ev) })
	}}
}

// Action is one named thing that a row does to what it works on (A).
type Action[A any] struct {
	// Name is the action in words, such as "issue token".
	Name string
	Do   func(a *A)
}

// Row is one line of a table: in a state (S), on a kind of event (K), if a guard
// holds, go to a state and do some actions, or refuse. Among the rows of one
// state and kind the first whose guard holds is taken. A row without actions that
// stays in its state changes nothing: the request was carried out before.
type Row[S, K comparable, R, E, A any] struct {
	From S
	On   K
	When Guard[R, E]
	To   S
	Do   []Action[A]
	// Refuse is why a request is refused, for people; empty for all other rows.
	Refuse Refusal
}

// Name returns the kind of event with the guard, such as "Started [token valid]".
func (r *Row[S, K, R, E, A]) Name() string {
	if r.When.Name == "" {
		return fmt.Sprint(r.On)
	}
	return fmt.Sprintf("%v [%s]", r.On, r.When.Name)
}

// Refusal is why a request is not carried out, for people; empty is none.
type Refusal string

// Changes reports whether taking the row changes the record.
func (r *Row[S, K, R, E, A]) Changes() bool { return r.From != r.To || len(r.Do) > 0 }

// Ignored is a pair of a state and a kind of event that a table does not answer,
// and why.
type Ignored[S, K comparable] struct {
	From S
	On   K
	Why  string
}

// Ignore returns the pairs of a state with each of the kinds of event.
func Ignore[S, K comparable](from S, why string, kinds ...K) []Ignored[S, K] {
	list := make([]Ignored[S, K], 0, len(kinds))
	for _, k := range kinds {
		list = append(list, Ignored[S, K]{from, k, why})
	}
	return list
}

type pair[S, K comparable] struct {
	from S
	on   K
}

// Table is a machine as a value. It never changes and may be used concurrently.
type Table[S, K comparable, R, E, A any] struct {
	rows    []Row[S, K, R, E, A]
	ignored []Ignored[S, K]
	byPair  map[pair[S, K]][]*Row[S, K, R, E, A]
	why     map[pair[S, K]]string
}

// New returns the table of the rows and the ignored pairs. It keeps both slices.
func New[S, K comparable, R, E, A any](rows []Row[S, K, R, E, A], ignored []Ignored[S, K]) *Table[S, K, R, E, A] {
	t := &Table[S, K, R, E, A]{
		rows: rows, ignored: ignored,
		byPair: map[pair[S, K]][]*Row[S, K, R, E, A]{}, why: map[pair[S, K]]string{},
	}
	for i := range rows {
		at := pair[S, K]{rows[i].From, rows[i].On}
		t.byPair[at] = append(t.byPair[at], &rows[i])
	}
	for _, p := range ignored {
		t.why[pair[S, K]{p.From, p.On}] = p.Why
	}
	return t
}

// Rows returns the rows in their order, in a slice of the caller's own.
func (t *Table[S, K, R, E, A]) Rows() []Row[S, K, R, E, A] { return slices.Clone(t.rows) }

// Ignored returns the ignored pairs, in a slice of the caller's own.
func (t *Table[S, K, R, E, A]) Ignored() []Ignored[S, K] { return slices.Clone(t.ignored) }

// Next returns the row for an event, or nil and why the event is ignored.
func (t *Table[S, K, R, E, A]) Next(from S, on K, record *R, ev *E) (row *Row[S, K, R, E, A], ignored string) {
	for _, row := range t.byPair[pair[S, K]{from, on}] {
		if row.When.Holds(record, ev) {
			return row, ""
		}
	}
	return nil, t.why[pair[S, K]{from, on}]
}
