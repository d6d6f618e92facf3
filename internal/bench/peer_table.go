package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"text/tabwriter"
)

// Keys of the rows.
const (
	rowAccept = "accept"
	rowFinish = "finish"
	rowBurst  = "burst"
	rowSteady = "steady"
	rowStart  = "start"
	rowStop   = "stop"
	rowMemory = "memory-" // followed by the number of workers
	rowCPU    = "cpu-"
)

// peerRow is a row of the comparison.
type peerRow struct{ key, what string }

func peerRows() []peerRow {
	return []peerRow{
		{rowAccept, "message sent to accept received, p50, ms"},
		{rowFinish, "to finish received, job `true`, p50, ms"},
		{rowBurst, "50 jobs at once on 50 workers, to finish, p50, ms"},
		{rowSteady, "20 workers, steady arrivals, ready to accept, p99.9, ms"},
		{rowStart, "process start to stream open, ms"},
		{rowStop, "SIGTERM, idle, to exit, ms"},
		{rowMemory + "1", "idle memory (RSS), 1 worker, MiB"},
		{rowMemory + "200", "idle memory (RSS), 200 workers, MiB"},
		{rowCPU + "1", "idle CPU time, 1 worker, ms"},
		{rowCPU + "200", "idle CPU time, 200 workers, ms"},
	}
}

// The order of the programs in a round.
const (
	floorColumn = iota
	peerColumn
	oursColumn
)

// printPeers prints the medians of the rounds, and our ratio to the floor and to the peer
// in each round: the median, the least and the most.
func printPeers(w io.Writer, rounds [][]peerRound, loadBefore string) error {
	t := tabwriter.NewWriter(w, 0, 0, tablePadding, ' ', 0)
	fmt.Fprintf(t, "FIGURE\tFLOOR\tPEER\tOURS\tOURS/FLOOR\tOURS/PEER\n")
	for _, row := range peerRows() {
		column := func(program int) []float64 {
			var values []float64
			for _, round := range rounds {
				if value, ok := round[program][row.key]; ok {
					values = append(values, value)
				}
			}
			return values
		}
		ours := column(oursColumn)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", row.what, middle(column(floorColumn)), middle(column(peerColumn)), middle(ours),
			ratio(ours, column(floorColumn)), ratio(ours, column(peerColumn)))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	_, err := fmt.Fprintf(w, "%d rounds; each ratio is of one round: median (least to most)\n%s, %s/%s, %d CPUs, load before %s, after %s\n",
		len(rounds), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), loadBefore, load())
	if err != nil {
		return fmt.Errorf("printing the machine: %w", err)
	}
	return nil
}

// middle returns the median of some values, or "-".
func middle(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", slices.Sorted(slices.Values(values))[len(values)/2])
}

// ratio returns the ratios of two columns, or "-".
func ratio(ours, others []float64) string {
	var ratios []float64
	for i := range min(len(ours), len(others)) {
		if others[i] > 0 {
			ratios = append(ratios, ours[i]/others[i])
		}
	}
	if len(ratios) == 0 {
		return "-"
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%.2f (%.2f to %.2f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1])
}
