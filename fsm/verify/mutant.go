package verify

import (
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Mutant is a machine with one thing wrong with it.
type Mutant struct {
	// Kind says what sort of change it is, such as "row dropped".
	Kind string
	// Change says which one: the row, or the rule. With Kind it is unique.
	Change string

	advance Advance
	row     *fsm.Row // the one that is changed; nil for a rule
}

// Name is the kind and the change on one line.
func (m *Mutant) Name() string { return m.Kind + ": " + m.Change }

// Mutants returns every mutant of the default table: those of its rows, in
// their order, then those of the rules that live in its facts.
func Mutants() []Mutant {
	var mutants []Mutant
	rows := fsm.Rows()
	for i := range rows {
		mutants = append(mutants, rowMutants(rows, i)...)
	}
	return append(mutants, ruleMutants()...)
}

// rowMutants returns the mutants of one row.
func rowMutants(rows []fsm.Row, at int) []Mutant {
	r := &rows[at]
	var mutants []Mutant
	mutate := func(kind, what string, change func(rows []fsm.Row) []fsm.Row) {
		table := fsm.NewTable(change(slices.Clone(rows)), ignoreAnything())
		mutants = append(mutants, Mutant{Kind: kind, Change: rowKey(r) + what, advance: table.Advance, row: r})
	}
	mutate("row dropped", "", func(rows []fsm.Row) []fsm.Row { return slices.Delete(rows, at, at+1) })
	if alone := r.When.Name == "" || r.When.Name == "otherwise"; !alone {
		mutate("guard negated", "", func(rows []fsm.Row) []fsm.Row {
			rows[at].When = rows[at].When.Not()
			return rows
		})
	}
	if at+1 < len(rows) && rows[at+1].From == r.From && rows[at+1].On == r.On {
		mutate("order of rows swapped", " and the next", func(rows []fsm.Row) []fsm.Row {
			rows[at], rows[at+1] = rows[at+1], rows[at]
			return rows
		})
	}
	for _, to := range fsm.States() {
		if to != r.To && to != fsm.Initial {
			mutate("target changed", fmt.Sprintf(" -> %v, not %v", to, r.To), func(rows []fsm.Row) []fsm.Row {
				rows[at].To = to
				return rows
			})
		}
	}
	for i, action := range r.Do {
		mutate("action dropped", ": "+action.Name, func(rows []fsm.Row) []fsm.Row {
			rows[at].Do = slices.Delete(slices.Clone(rows[at].Do), i, i+1)
			return rows
		})
		if other, found := exchanged(rows, action.Name); found {
			mutate("action exchanged", fmt.Sprintf(": %s, not %s", other.Name, action.Name), func(rows []fsm.Row) []fsm.Row {
				rows[at].Do = slices.Clone(rows[at].Do)
				rows[at].Do[i] = other
				return rows
			})
		}
	}
	return mutants
}

// exchanged returns the action that is most easily taken for the named one.
func exchanged(rows []fsm.Row, name string) (fsm.Action, bool) {
	pairs := map[string]string{
		"arm poll now":                "arm poll after the interval",
		"arm poll after the interval": "arm poll now",
		"start job of mailbox":        "into the mailbox",
		"into the mailbox":            "start job",
		"start job":                   "into the mailbox",
	}
	for i := range rows {
		for _, action := range rows[i].Do {
			if action.Name == pairs[name] {
				return action, true
			}
		}
	}
	return fsm.Action{}, false
}

// ignoreAnything lets a mutant ignore what it has no row for, so that it is
// caught by what it does, and not by the gap in its table.
func ignoreAnything() []fsm.Ignored {
	pairs := make([]fsm.Ignored, 0, len(fsm.States())*len(fsm.EventKinds()))
	for _, s := range fsm.States() {
		for _, kind := range fsm.EventKinds() {
			pairs = append(pairs, fsm.Ignored{From: s, On: kind, Why: "it has no row"})
		}
	}
	return pairs
}
