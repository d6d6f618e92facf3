package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// verdict is whether a figure was reached.
type verdict string

const (
	reached    verdict = "yes"
	notReached verdict = "no"
	// open is for what was measured under other conditions than the design's.
	open verdict = "open"
)

// decide judges a figure, unless its conditions were not the design's.
func decide(measured, good bool) verdict {
	switch {
	case !measured:
		return open
	case good:
		return reached
	default:
		return notReached
	}
}

// result is a figure measured.
type result struct {
	key, value string
	verdict    verdict
	samples    int
	// notes say what was measured beside it, for judging the figure.
	notes []string
}

const tablePadding = 2

// printTable prints the figures that were measured, in the design's order, and
// under them the notes.
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
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d %s\n", f.what, r.value, f.reach, r.verdict, f.peer, r.samples, mark.String())
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

// milliseconds and seconds print a time as the design's table does.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }
