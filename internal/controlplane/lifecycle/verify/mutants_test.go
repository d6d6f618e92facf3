package verify

import (
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// mutant is the job's table, changed in one thing.
type mutant struct {
	kind   string // such as "row dropped"
	change string // the row, and what is changed in it; with kind it is unique
	table  *lifecycle.Table
}

func (m *mutant) name() string { return m.kind + ": " + m.change }

func allStates() []lifecycle.State {
	return []lifecycle.State{queued, assigned, accepted, running, finished, canceled, lost}
}

// allMutants returns every mutant of the table, in the order of its rows.
func allMutants() []mutant {
	var mutants []mutant
	rows := lifecycle.Rows()
	for at := range rows {
		r := &rows[at]
		mutate := func(kind, what string, change func(rows []lifecycle.Row) []lifecycle.Row) {
			table := lifecycle.NewTable(change(slices.Clone(rows)), lifecycle.IgnoredPairs())
			mutants = append(mutants, mutant{kind, rowKey(r) + what, table})
		}
		mutate("row dropped", "", func(rows []lifecycle.Row) []lifecycle.Row { return slices.Delete(rows, at, at+1) })
		if alone := r.When.Name == "" || r.When.Name == "otherwise"; !alone {
			holds := r.When.Holds
			mutate("guard negated", "", func(rows []lifecycle.Row) []lifecycle.Row {
				rows[at].When.Holds = func(j *lifecycle.Job, ev *lifecycle.Event) bool { return !holds(j, ev) }
				return rows
			})
			mutate("guard dropped", "", func(rows []lifecycle.Row) []lifecycle.Row {
				rows[at].When.Holds = func(*lifecycle.Job, *lifecycle.Event) bool { return true }
				return rows
			})
		}
		for _, to := range allStates() {
			if to != r.To {
				mutate("target changed", fmt.Sprintf(" -> %s, not %s", to, r.To), func(rows []lifecycle.Row) []lifecycle.Row {
					rows[at].To = to
					return rows
				})
			}
		}
		for i, action := range r.Do {
			mutate("action dropped", ": "+action.Name, func(rows []lifecycle.Row) []lifecycle.Row {
				rows[at].Do = slices.Delete(slices.Clone(rows[at].Do), i, i+1)
				return rows
			})
		}
	}
	return mutants
}
