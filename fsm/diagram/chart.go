package diagram

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Chart is a machine as text: all that a picture or a chapter of a page shows of
// it. Machines other than the worker's are drawn from it.
type Chart struct {
	// Title names the machine, such as "The states of a job". Intro is a paragraph.
	Title, Intro string
	// Start is what the pseudo-state stands for in which the machine begins. Rows
	// name it by an empty string.
	Start string
	// States are the states in the order of a usual life.
	States []ChartState
	// Current is the state that the SVG shows as the current one; empty for none.
	Current string
	Rows    []ChartRow
	// Ignored are the events that a state ignores, with the reason.
	Ignored []ChartIgnored
	// Events are the events with their meaning.
	Events []ChartTerm
}

// ChartKind is what a state means for the work, and selects its color.
type ChartKind uint8

// The kinds.
const (
	ChartWaits ChartKind = iota
	ChartHeld
	ChartWorks
	ChartEnded
)

// ChartState is a state of a chart.
type ChartState struct {
	Name string
	// Hint is the state in a few words, in its box; Meaning is a line.
	Hint, Meaning string
	Kind          ChartKind
	// Column and Line place the box of the state in the SVG, from 0.
	Column, Line int
}

// ChartRow is a row of a machine's table.
type ChartRow struct {
	From, On, When, To string
	Do                 []string
	// Refuse is why the row refuses the event; empty if it does not.
	Refuse string
}

// ChartIgnored is an event that a state ignores, and why.
type ChartIgnored struct{ From, On, Why string }

// ChartTerm is a word with its meaning.
type ChartTerm struct{ Name, Meaning string }

// Validate returns an error that names what does not fit together, or nil: a row
// of a state that is not there, two states in one place, or no state at all.
func (c *Chart) Validate() error {
	if len(c.States) == 0 {
		return fmt.Errorf("chart %q has no states", c.Title)
	}
	places := map[[2]int]string{}
	for _, s := range c.States {
		at := [2]int{s.Column, s.Line}
		if other, taken := places[at]; taken {
			return fmt.Errorf("chart %q: the states %s and %s have the same place", c.Title, other, s.Name)
		}
		places[at] = s.Name
	}
	for i := range c.Rows {
		r := &c.Rows[i]
		if c.state(r.To) == nil || r.From != "" && c.state(r.From) == nil {
			return fmt.Errorf("chart %q: a row leads from %q to %q, and one of them is unknown", c.Title, r.From, r.To)
		}
	}
	return nil
}

// Write draws the chart to w, with SelfLoops, Guards and Effects of the options.
// In Markdown it is a chapter of a page. It returns an error if the chart is not
// valid, if the format is unknown, or if w does.
func (c *Chart) Write(w io.Writer, format Format, o Options) error {
	if err := c.Validate(); err != nil {
		return err
	}
	var page bytes.Buffer
	switch format {
	case Mermaid:
		c.writeMermaid(&page, o)
	case DOT:
		c.writeDOT(&page, o)
	case SVG:
		page.Write(c.drawSVG(o))
	case Markdown:
		c.writeMarkdown(&page, o)
	default:
		_, err := ParseFormat(string(format))
		return err
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("writing the diagram: %w", err)
	}
	return nil
}

func (c *Chart) state(name string) *ChartState {
	i := slices.IndexFunc(c.States, func(s ChartState) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &c.States[i]
}

// chartEdge is all the rows of a chart between one state and another.
type chartEdge struct {
	from, to string
	lines    []string
}

// edges returns the edges in the order of the states, each with its events, or with
// its rows by the options. A row that refuses an event or changes nothing is
// left out.
func (c *Chart) edges(o Options) []chartEdge {
	var edges []chartEdge
	for _, from := range append([]ChartState{{}}, c.States...) {
		for _, to := range c.States {
			e := chartEdge{from: from.Name, to: to.Name}
			for i := range c.Rows {
				r := &c.Rows[i]
				hidden := r.From == r.To && (!o.SelfLoops || r.Refuse != "" || len(r.Do) == 0)
				if r.From != e.from || r.To != e.to || hidden {
					continue
				}
				if line := r.line(o); !slices.Contains(e.lines, line) {
					e.lines = append(e.lines, line)
				}
			}
			if len(e.lines) > 0 {
				edges = append(edges, e)
			}
		}
	}
	return edges
}

// line returns a row on one line, as the options ask for it.
func (r *ChartRow) line(o Options) string {
	line := r.On
	if o.Guards && r.When != "" {
		line += " [" + r.When + "]"
	}
	if o.Effects && len(r.Do) > 0 {
		line += " / " + strings.Join(r.Do, ", ")
	}
	return line
}
