package verify

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// Report is the result of a check. Its JSON form contains all of it.
type Report struct {
	// OK: there is no violation, and no row that was never taken.
	OK     bool   `json:"ok"`
	Bounds Bounds `json:"bounds"`
	Runs   []Run  `json:"runs"`
	// States and Transitions are those of all runs together.
	States      int `json:"states"`
	Transitions int `json:"transitions"`
	// Rows are those of the table of package lifecycle, in its order.
	Rows       []RowUse `json:"rows"`
	NeverTaken []string `json:"neverTaken"`
	// Violations, at most one for each property and setting.
	Violations []Violation `json:"violations"`
}

// Run is what was explored of one setting.
type Run struct {
	// Setting is who the agents are.
	Setting string `json:"setting"`
	// States is the number of states of the world, Transitions that of steps
	// between them, and Depth the most steps that the shortest path to one has.
	States      int `json:"states"`
	Transitions int `json:"transitions"`
	Depth       int `json:"depth"`
	// Records is the number of different stored jobs.
	Records int `json:"records"`
}

// RowUse is in how many situations, of a stored job and an event, a row was taken.
type RowUse struct {
	Row        string          `json:"row"`
	To         lifecycle.State `json:"to"`
	Situations int             `json:"situations"`
}

// Violation is a property that does not hold.
type Violation struct {
	Setting string `json:"setting"`
	// Property is what is wrong, on one line.
	Property string `json:"property"`
	// Script is a shortest path to the violation, as a script for testdata/jobs
	// without the answers.
	Script string `json:"script"`
}

// FileName returns a name for a file with the violation's script. It is unique
// within a report.
func (v *Violation) FileName() string { return "job_" + explore.FileName(v.Property+" "+v.Setting) }

// add adds what was explored of a setting.
func (r *Report) add(s setting, sp *space, taken map[string]int) {
	r.Runs = append(r.Runs, Run{
		Setting: s.name, States: sp.States(), Transitions: sp.Transitions(), Depth: sp.Depth(),
		Records: len(sp.generator.machine.records),
	})
	r.States += sp.States()
	r.Transitions += sp.Transitions()
	for _, v := range sp.Violations() {
		r.Violations = append(r.Violations, Violation{Setting: s.name, Property: v.Broken, Script: sp.script(v)})
	}
	for row, n := range sp.generator.machine.rows {
		taken[row] += n
	}
}

// WriteText writes the report as text; with rows, also how each row of the table
// was taken.
func (r *Report) WriteText(w io.Writer, rows bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Bounds: %s.\n\n", r.Bounds)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(cells ...any) { fmt.Fprintf(t, strings.Repeat("%v\t", len(cells))+"\n", cells...) }
	line("job", "states", "transitions", "depth", "records")
	for i := range r.Runs {
		n := &r.Runs[i]
		line(n.Setting, n.States, n.Transitions, n.Depth, n.Records)
	}
	line("together", r.States, r.Transitions, "", "")
	_ = t.Flush() // to memory
	if rows {
		b.WriteString("\nRows of the job's table, and the number of situations in which each was taken:\n\n")
		t = tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, u := range r.Rows {
			fmt.Fprintf(t, "%s\t-> %s\t%d\n", u.Row, u.To, u.Situations)
		}
		_ = t.Flush() // to memory
	}
	for _, row := range r.NeverTaken {
		fmt.Fprintf(&b, "\nNever taken: %s\n", row)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "\nVIOLATION (%s): %s\n\n%s", v.Setting, v.Property, v.Script)
	}
	if r.OK {
		b.WriteString("\nEvery property of the job holds in every state, and every row is taken.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
