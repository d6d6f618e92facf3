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

// none stands in a column that has nothing to say, so that columns can be told
// apart by a program that splits at white space.
const none = "-"

// table writes rows in columns, the first row being the heading.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// details writes names with values, one a line, leaving out what is empty.
func details(w io.Writer, fields [][2]string) error {
	t := tabwriter.NewWriter(w, 0, 0, columnGap, ' ', 0)
	for _, field := range fields {
		if field[1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(t, "%s\t%s\n", field[0], field[1]); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// cell is a text from the network as a column shows it.
func cell(s string) string {
	if s == "" {
		return none
	}
	return Safe(s)
}

// age is how long ago a moment was, in its two largest units.
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

// moment is a moment in the reader's own zone, to the millisecond.
func moment(at *timestamppb.Timestamp) string {
	if at == nil {
		return ""
	}
	return at.AsTime().Local().Format("2006-01-02 15:04:05.000 MST")
}
