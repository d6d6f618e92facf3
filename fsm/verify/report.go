package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// Report is the result of a check. Its JSON form contains all of it, with every
// list present even if it is empty.
type Report struct {
	// Table is the hash of the default table; see fsm.TableHash.
	Table string `json:"table"`
	// OK: there is no violation, and no row that was never taken.
	OK     bool   `json:"ok"`
	Bounds Bounds `json:"bounds"`
	Runs   []Run  `json:"runs"`
	// States and Transitions are those of all runs together.
	States          int     `json:"states"`
	Transitions     int     `json:"transitions"`
	Seconds         float64 `json:"seconds"`
	StatesPerSecond int     `json:"statesPerSecond"`
	// Rows are those of the default table, in its order.
	Rows []RowUse `json:"rows"`
	// AllModes: workers of every mode were explored. Otherwise NeverTaken is
	// empty, because a row that was not taken is not a finding.
	AllModes   bool     `json:"allModes"`
	NeverTaken []RowUse `json:"neverTaken"`
	// Violations, at most one for each property and kind of worker.
	Violations []Violation `json:"violations"`
}

// Run is what was explored of one kind of worker.
type Run struct {
	Worker string   `json:"worker"`
	Mode   fsm.Mode `json:"mode"`
	OneJob bool     `json:"oneJob"`
	// States is the number of states of the world, Transitions that of steps
	// between them, and Depth the most steps that the shortest path to one has.
	States      int `json:"states"`
	Transitions int `json:"transitions"`
	Depth       int `json:"depth"`
	// Situations is the number of states of the machine with its facts.
	Situations int     `json:"situations"`
	Seconds    float64 `json:"seconds"`

	violations []Violation
	rows       map[string]int
}

// RowUse is how often a row of the table was taken.
type RowUse struct {
	From  fsm.State     `json:"from"`
	Event fsm.EventKind `json:"event"`
	Guard string        `json:"guard,omitempty"`
	To    fsm.State     `json:"to"`
	// Situations is the number of situations of a machine in which the row was
	// taken, and Modes are the modes in which it was.
	Situations int        `json:"situations"`
	Modes      []fsm.Mode `json:"modes"`

	key string
}

// Violation is a property that does not hold.
type Violation struct {
	// Worker is the kind of worker that violates it.
	Worker string `json:"worker"`
	// Property is what is wrong, on one line.
	Property string `json:"property"`
	// Script is a shortest path to the violation: a scenario for package replay,
	// with the answers of the machine that was explored.
	Script string `json:"script"`
}

// FileName returns a name for a file with the violation's script, made of its
// property and worker. It is unique within a report.
func (v *Violation) FileName() string { return explore.FileName(v.Property+" "+v.Worker) + ".txt" }

func newReport(b Bounds, runs []Run, elapsed time.Duration) *Report {
	r := &Report{
		Table: fsm.TableHash(), Bounds: b, Runs: runs, Rows: rowUses(runs), Seconds: elapsed.Seconds(),
		NeverTaken: []RowUse{}, Violations: []Violation{},
	}
	modes := map[fsm.Mode]bool{}
	for i := range runs {
		n := &runs[i]
		modes[n.Mode] = true
		r.States += n.States
		r.Transitions += n.Transitions
		r.Violations = append(r.Violations, n.violations...)
	}
	if elapsed > 0 {
		r.StatesPerSecond = int(float64(r.States) / r.Seconds)
	}
	r.AllModes = len(modes) == len(fsm.Modes())
	for _, u := range r.Rows {
		if r.AllModes && u.Situations == 0 {
			r.NeverTaken = append(r.NeverTaken, u)
		}
	}
	r.OK = len(r.Violations) == 0 && len(r.NeverTaken) == 0
	return r
}

func rowUses(runs []Run) []RowUse {
	rows := fsm.Rows()
	uses := make([]RowUse, len(rows))
	for i := range rows {
		row := &rows[i]
		u := RowUse{From: row.From, Event: row.On, Guard: row.When.Name, To: row.To, Modes: []fsm.Mode{}, key: rowKey(row)}
		for j := range runs {
			n := runs[j].rows[u.key]
			u.Situations += n
			if n > 0 && !slices.Contains(u.Modes, runs[j].Mode) {
				u.Modes = append(u.Modes, runs[j].Mode)
			}
		}
		uses[i] = u
	}
	return uses
}

func rowKey(r *fsm.Row) string { return r.From.String() + " / " + r.Name() }

// WriteText writes the report as text; with rows, also how each row of the table
// was taken.
func (r *Report) WriteText(w io.Writer, rows bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Table:  %s\nBounds: %s.\n\n", r.Table, r.Bounds)
	r.writeRuns(&b)
	if rows {
		r.writeRows(&b)
	}
	for _, u := range r.NeverTaken {
		fmt.Fprintf(&b, "\nNever taken: %s -> %v\n", u.key, u.To)
	}
	for _, v := range r.Violations {
		fmt.Fprintf(&b, "\nVIOLATION (%s): %s\n\n%s", v.Worker, v.Property, v.Script)
	}
	switch {
	case !r.OK:
	case r.AllModes:
		b.WriteString("\nEvery property holds in every state, and every row is taken.\n")
	default:
		b.WriteString("\nEvery property holds in every state. With modes left out, not every row can be taken.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (r *Report) writeRuns(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) { fmt.Fprintf(t, strings.Repeat("%v\t", len(cells))+"\n", cells...) }
	seconds := func(s float64) string { return fmt.Sprintf("%.3fs", s) }
	row("worker", "states", "transitions", "depth", "situations", "time")
	for i := range r.Runs {
		n := &r.Runs[i]
		row(n.Worker, n.States, n.Transitions, n.Depth, n.Situations, seconds(n.Seconds))
	}
	row("together", r.States, r.Transitions, "", "", seconds(r.Seconds))
	_ = t.Flush() // to memory
	fmt.Fprintf(b, "\n%d states per second.\n", r.StatesPerSecond)
}

func (r *Report) writeRows(b *strings.Builder) {
	b.WriteString("\nRows, each with its guard, the number of situations of a machine in which it was taken, and the modes:\n\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, u := range r.Rows {
		modes := make([]string, len(u.Modes))
		for i, m := range u.Modes {
			modes[i] = m.String()
		}
		slices.Sort(modes)
		_, name, _ := strings.Cut(u.key, " / ")
		fmt.Fprintf(t, "%v\t%s\t-> %v\t%d\t%s\n", u.From, name, u.To, u.Situations, strings.Join(modes, ", "))
	}
	_ = t.Flush() // to memory
}
