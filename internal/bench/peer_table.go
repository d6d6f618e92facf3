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
	rowBegin  = "begin"
	rowFinish = "finish"
	rowBurst  = "burst"
	rowJobCPU = "job-cpu"
	rowSteady = keySteady
	rowReset  = "reset"
	rowStart  = "start"
	rowStop   = "stop"
	rowMemory = "memory-" // followed by the number of workers
	rowCPU    = "cpu-"
	rowSize   = "size"

	// Of the slowest job with steady arrivals, and of the machine meanwhile.
	rowSteadyWait = "steady-wait"
	rowSteadyWire = "steady-wire"
	rowLate       = "late"
)

// peerRow is a row of the comparison.
type peerRow struct{ key, what string }

func peerRows() []peerRow {
	return []peerRow{
		{rowAccept, "message sent to accept received, p50, ms"},
		{rowBegin, "to start received, p50, ms"},
		{rowFinish, "to finish received, job `true`, p50, ms"},
		{rowBurst, "50 jobs at once on 50 workers, to finish, p50, ms"},
		{rowJobCPU, "  CPU time of each of these jobs, with its process, ms"},
		{rowSteady, "20 workers, steady arrivals, ready to accept, p99.9, ms"},
		{rowSteadyWait, "  the slowest of these: ready to its message, ms"},
		{rowSteadyWire, "  from its message to accept received, ms"},
		{rowLate, "  how late a timer of 5 ms was meanwhile, at most, ms"},
		{rowReset, "stream reset to first ping, p50, ms"},
		{rowStart, "process start to stream open, p50, ms"},
		{rowStop, "SIGTERM, idle, to exit, p50, ms"},
		{rowMemory + "1", "idle memory (RSS), 1 worker, MiB"},
		{rowMemory + "200", "idle memory (RSS), 200 workers, MiB"},
		{rowCPU + "1", "idle CPU time, 1 worker, ms"},
		{rowCPU + "200", "idle CPU time, 200 workers, ms"},
		{rowSize, "size of the program, MB"},
	}
}

// The order of the programs in a round.
const (
	floorColumn = iota
	peerColumn
	oursColumn
)

// printPeers prints the medians of the rounds with the least and the most, and our ratio to
// the floor and to the peer in each round: the median, the least and the most.
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
	_, err := fmt.Fprintf(w, "%d rounds; median of the rounds (least to most); each ratio is of one round\n"+
		"%s, %s/%s, %d CPUs, load before %s, after %s\n",
		len(rounds), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), loadBefore, load())
	if err != nil {
		return fmt.Errorf("printing the machine: %w", err)
	}
	return nil
}

// middle returns the median of some values with the least and the most, or "-".
func middle(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	sorted := slices.Sorted(slices.Values(values))
	return fmt.Sprintf("%.2f (%.2f to %.2f)", sorted[len(sorted)/2], sorted[0], sorted[len(sorted)-1])
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
	return middle(ratios)
}
