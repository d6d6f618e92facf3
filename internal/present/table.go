package present

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

const columnGap = 2

// none stands in an empty column, so that a program can split a row at white space.
const none = "-"

// table writes rows in columns. The first row is the heading.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(t, strings.Join(row, "\t")) // Flush returns the error
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// cell returns a text from the network as a column shows it.
func cell(s string) string {
	if s == "" {
		return none
	}
	return Safe(s)
}

// age returns the time since at, in its two largest units.
func age(now time.Time, at *timestamppb.Timestamp) string {
	if at == nil {
		return none
	}
	const day = 24 * time.Hour
	switch d := max(now.Sub(at.AsTime()), 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
	}
}

// moment returns a time in the local time zone, to the millisecond.
func moment(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Local().Format("2006-01-02 15:04:05.000 MST")
}
