package verify

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// NeverTaken returns the rows that no machine took, if machines of every mode
// were explored.
func (r *Report) NeverTaken() []fsm.Row {
	if !r.allModes() {
		return nil
	}
	var rows []fsm.Row
	for i := range r.Rows {
		if r.Rows[i].Situations == 0 {
			rows = append(rows, r.Rows[i].Row)
		}
	}
	return rows
}

// allModes tells whether machines of every mode were explored.
func (r *Report) allModes() bool {
	modes := map[fsm.Mode]bool{}
	for i := range r.Runs {
		modes[r.Runs[i].Config.Mode] = true
	}
	for _, c := range configs() {
		if !modes[c.Mode] {
			return false
		}
	}
	return true
}

// OK tells whether nothing was found: no violation, and no row without use.
func (r *Report) OK() bool { return len(r.Violations) == 0 && len(r.NeverTaken()) == 0 }

// States returns the number of states of all kinds of worker together, and that
// of transitions.
func (r *Report) States() (states, transitions int) {
	for i := range r.Runs {
		states += r.Runs[i].States
		transitions += r.Runs[i].Transitions
	}
	return states, transitions
}

// perSecond returns how many states were explored per second, in all.
func (r *Report) perSecond() int {
	states, _ := r.States()
	if r.Elapsed <= 0 {
		return 0
	}
	return int(float64(states) / r.Elapsed.Seconds())
}

// WriteText writes the report for people; with rows, also how each row of the
// table was taken.
func (r *Report) WriteText(w io.Writer, rows bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Table:  %s\nBounds: %s.\n\n", r.Table, r.Bounds)
	r.figures(&b)
	if rows {
		b.WriteByte('\n')
		r.uses(&b)
	}
	never := r.NeverTaken()
	for i := range never {
		fmt.Fprintf(&b, "\nNever taken: %s -> %v\n", rowKey(&never[i]), never[i].To)
	}
	for i := range r.Violations {
		v := &r.Violations[i]
		fmt.Fprintf(&b, "\nVIOLATION (%s): %s\n\n%s", name(v.Config), v.Property, v.Script)
	}
	switch {
	case !r.OK():
	case r.allModes():
		b.WriteString("\nEvery property holds in every state, and every row is taken.\n")
	default:
		b.WriteString("\nEvery property holds in every state. With modes left out, not every row can be taken.\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// String says the bounds in words.
func (b Bounds) String() string {
	times := func(n uint8) string {
		if n == 0 {
			return "any number of"
		}
		return fmt.Sprintf("up to %d", n)
	}
	jobs := "jobs"
	if b.Jobs == 1 {
		jobs = "job"
	}
	return fmt.Sprintf("%d %s, up to %d messages on their way, %s losses, %s pauses, any number of everything else",
		b.Jobs, jobs, b.InFlight, times(b.Losses), times(b.Pauses))
}

func (r *Report) figures(b *strings.Builder) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) { fmt.Fprintf(t, strings.Repeat("%v\t", len(cells))+"\n", cells...) }
	row("worker", "states", "transitions", "depth", "situations", "time")
	for i := range r.Runs {
		n := &r.Runs[i]
		row(name(n.Config), n.States, n.Transitions, n.Depth, n.Situations, n.Elapsed.Round(time.Millisecond))
	}
	states, transitions := r.States()
	row("together", states, transitions, "", "", r.Elapsed.Round(time.Millisecond))
	_ = t.Flush() // into memory
	fmt.Fprintf(b, "\n%d states per second.\n", r.perSecond())
}

func (r *Report) uses(b *strings.Builder) {
	b.WriteString("Rows, each with its guard, in how many situations of a machine it was taken, and in which modes:\n\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i := range r.Rows {
		u := &r.Rows[i]
		modes := modeNames(u.Modes)
		slices.Sort(modes)
		fmt.Fprintf(t, "%v\t%s\t-> %v\t%d\t%s\n", u.Row.From, u.Row.Name(), u.Row.To, u.Situations, strings.Join(modes, ", "))
	}
	_ = t.Flush() // into memory
}
