package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
)

// outcome is the comparison of a figure with the design.
type outcome string

const (
	reached    outcome = "yes"
	notReached outcome = "no"
	// open marks a figure that was measured under other conditions than the
	// design's.
	open outcome = "open"
)

// outcomeOf returns the outcome of a figure. asDesigned is false if the conditions
// were not the design's.
func outcomeOf(asDesigned, good bool) outcome {
	switch {
	case !asDesigned:
		return open
	case good:
		return reached
	default:
		return notReached
	}
}

// result is a measured figure.
type result struct {
	key, value string
	outcome    outcome
	samples    int
	notes      []string // other measurements, which help to interpret the figure
}

const tablePadding = 2

// printTable prints the measured figures in the design's order, then the notes.
func printTable(w io.Writer, results []result) error {
	t := tabwriter.NewWriter(w, 0, 0, tablePadding, ' ', 0)
	fmt.Fprintf(t, "FIGURE\tMEASURED\tREACH\tREACHED\tPEER\tSAMPLES\n")
	var notes []string
	for _, f := range figures() {
		i := slices.IndexFunc(results, func(r result) bool { return r.key == f.key })
		if i < 0 {
			continue
		}
		r := results[i]
		var mark strings.Builder
		for _, note := range r.notes {
			notes = append(notes, note)
			fmt.Fprintf(&mark, "[%d]", len(notes))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d %s\n", f.what, r.value, f.reach, r.outcome, f.peer, r.samples, mark.String())
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	for i, note := range notes {
		if _, err := fmt.Fprintf(w, "[%d] %s\n", i+1, note); err != nil {
			return fmt.Errorf("printing the notes: %w", err)
		}
	}
	_, err := fmt.Fprintf(w, "%s, %s/%s, %d CPUs, load %s\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), load())
	if err != nil {
		return fmt.Errorf("printing the machine: %w", err)
	}
	return nil
}
