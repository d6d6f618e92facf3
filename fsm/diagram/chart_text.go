package diagram

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// role returns the role whose colors the state has.
func (s *ChartState) role() svg.Role {
	switch s.Kind {
	case ChartWaits:
		return svg.Poller
	case ChartHeld:
		return svg.Returning
	case ChartWorks:
		return svg.Stream
	case ChartEnded:
	}
	return svg.Stopped
}

func (c *Chart) writeMermaid(page *bytes.Buffer, o Options) {
	page.WriteString("stateDiagram-v2\n")
	for _, s := range c.States {
		fmt.Fprintf(page, "    state \"%s<br/>%s\" as %s\n", s.Name, s.Hint, s.Name)
	}
	for _, e := range c.edges(o) {
		from := e.from
		if from == "" {
			from = pseudoState
		}
		fmt.Fprintf(page, "    %s --> %s: %s\n", from, e.to, mermaidLabel(e.lines))
	}
	for _, r := range []svg.Role{svg.Stream, svg.Poller, svg.Returning} {
		fmt.Fprintf(page, "    classDef %s fill:%s,stroke:%s,color:%s\n", r.Class, r.Fill.Light, r.Line.Light, r.Text.Light)
	}
	for i := range c.States {
		s := &c.States[i]
		if s.Kind == ChartEnded {
			fmt.Fprintf(page, "    %s --> %s\n", s.Name, pseudoState)
			continue
		}
		fmt.Fprintf(page, "    class %s %s\n", s.Name, s.role().Class)
	}
}

func (c *Chart) writeDOT(page *bytes.Buffer, o Options) {
	page.WriteString(`digraph switchyard {
    rankdir=TB
    bgcolor="transparent"
    node [shape=box style="rounded,filled" fontname="Helvetica" fontsize=13 penwidth=1.5]
    edge [fontname="Helvetica" fontsize=10 penwidth=1.5]
`)
	fmt.Fprintf(page, "    start [label=\"\" shape=circle width=0.2 fillcolor=%q color=%[1]q]\n", svg.Quiet.Light)
	for i := range c.States {
		s := &c.States[i]
		role, border := s.role(), ""
		if s.Kind == ChartEnded {
			border = " peripheries=2"
		}
		fmt.Fprintf(page, "    %s [label=\"%s\\n%s\"%s fillcolor=%q color=%q fontcolor=%q]\n",
			s.Name, s.Name, s.Hint, border, role.Fill.Light, role.Line.Light, role.Text.Light)
	}
	for _, e := range c.edges(o) {
		from := e.from
		if from == "" {
			from = "start"
		}
		fmt.Fprintf(page, "    %s -> %s [label=%s]\n", from, e.to, dotLabel(e.lines, o))
	}
	page.WriteString("}\n")
}

// writeMarkdown writes a chapter: the picture, the states, the rows of each, the
// ignored events and the meaning of all events.
func (c *Chart) writeMarkdown(page *bytes.Buffer, o Options) {
	fmt.Fprintf(page, "# %s\n\n%s\n\n```mermaid\n", c.Title, c.Intro)
	c.writeMermaid(page, o)
	page.WriteString("```\n\n| state | meaning |\n|---|---|\n")
	for _, s := range c.States {
		fmt.Fprintf(page, "| `%s` | %s |\n", s.Name, cell(s.Meaning))
	}
	for _, s := range append([]ChartState{{Meaning: c.Start}}, c.States...) {
		title := "From " + s.Name
		if s.Name == "" {
			title = "Start"
		}
		fmt.Fprintf(page, "\n### %s\n\n%s\n\n| event | guard | next state | actions |\n|---|---|---|---|\n", title, capitalized(s.Meaning))
		before := ""
		for i := range c.Rows {
			r := &c.Rows[i]
			if r.From != s.Name {
				continue
			}
			event := "`" + r.On + "`"
			if r.On == before {
				event = ""
			}
			before = r.On
			fmt.Fprintf(page, "| %s | %s | %s | %s |\n", event, cell(r.When), r.next(), cell(r.actions()))
		}
		c.writeIgnored(page, s.Name)
	}
	page.WriteString("\n### The events\n\n| event | meaning |\n|---|---|\n")
	for _, t := range c.Events {
		fmt.Fprintf(page, "| `%s` | %s |\n", t.Name, cell(t.Meaning))
	}
}

func (r *ChartRow) next() string {
	if r.From == r.To {
		return "(stays)"
	}
	return "**" + r.To + "**"
}

func (r *ChartRow) actions() string {
	if r.Refuse != "" {
		return "refuse: " + r.Refuse
	}
	return strings.Join(r.Do, ", ")
}

// writeIgnored writes what a state ignores, a line for each reason.
func (c *Chart) writeIgnored(page *bytes.Buffer, state string) {
	var reasons []string
	events := map[string][]string{} // by reason
	for _, p := range c.Ignored {
		if p.From != state {
			continue
		}
		if !slices.Contains(reasons, p.Why) {
			reasons = append(reasons, p.Why)
		}
		events[p.Why] = append(events[p.Why], "`"+p.On+"`")
	}
	for _, why := range reasons {
		fmt.Fprintf(page, "\nIgnored, because %s: %s.\n", why, strings.Join(events[why], ", "))
	}
}
