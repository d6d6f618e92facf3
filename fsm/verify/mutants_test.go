package verify

import (
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// mutant is a machine that is changed in one thing.
type mutant struct {
	kind    string // such as "row dropped"
	change  string // the row or the rule; with kind it is unique
	advance Advance
	row     *fsm.Row // the row that is changed; nil for a rule
}

func (m *mutant) name() string { return m.kind + ": " + m.change }

// allMutants returns every mutant of the default table: those of its rows, in
// their order, then those of the rules in its facts.
func allMutants() []mutant {
	var mutants []mutant
	rows := fsm.Rows()
	for i := range rows {
		mutants = append(mutants, rowMutants(rows, i)...)
	}
	return append(mutants, ruleMutants()...)
}

// rowMutants returns the mutants of one row.
func rowMutants(rows []fsm.Row, at int) []mutant {
	r := &rows[at]
	var mutants []mutant
	mutate := func(kind, what string, change func(rows []fsm.Row) []fsm.Row) {
		table := fsm.NewTable(change(slices.Clone(rows)), ignoreAnything())
		mutants = append(mutants, mutant{kind: kind, change: rowKey(r) + what, advance: table.Advance, row: r})
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

// exchanged returns the action that is most easily confused with the named one.
func exchanged(rows []fsm.Row, name string) (fsm.Action, bool) {
	pairs := map[string]string{
		"arm poll now":                "arm poll after the interval",
		"arm poll after the interval": "arm poll now",
		"start job from mailbox":      "put job in mailbox",
		"put job in mailbox":          "start job",
		"start job":                   "put job in mailbox",
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

// ignoreAnything returns an ignored pair for every state and event, so that a
// mutant is detected by what it does, and not by a gap in its table.
func ignoreAnything() []fsm.Ignored {
	pairs := make([]fsm.Ignored, 0, len(fsm.States())*len(fsm.EventKinds()))
	for _, s := range fsm.States() {
		for _, kind := range fsm.EventKinds() {
			pairs = append(pairs, fsm.Ignored{From: s, On: kind, Why: "there is no row"})
		}
	}
	return pairs
}
