package diagram

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// DOT and Mermaid use the colors for a light page: they cannot follow the
// reader's choice.

func writeDOT(page *bytes.Buffer, edges []edge, o Options) {
	fmt.Fprintf(page, `digraph switchyard {
    rankdir=TB
    bgcolor="transparent"
    graph [fontname="Helvetica" fontcolor="%s"]
    node [shape=box style="rounded,filled" fontname="Helvetica" fontsize=13 penwidth=1.5]
    edge [fontname="Helvetica" fontsize=10 penwidth=1.5]
`, svg.Quiet.Light)
	for _, s := range fsm.States() {
		fmt.Fprintf(page, "    %s [%s]\n", s, dotState(s, o))
	}
	for i := range edges {
		e := &edges[i]
		fmt.Fprintf(page, "    %s -> %s [label=%s %s]\n",
			e.from, e.to, dotLabel(e.lines(o), o), dotColor(e.direction()))
	}
	page.WriteString("}\n")
}

func dotState(s fsm.State, o Options) string {
	if s == fsm.Initial {
		return fmt.Sprintf(`label="" shape=circle width=0.2 fillcolor=%q color=%[1]q`, svg.Quiet.Light)
	}
	attributes := `label="` + s.String() + `\n` + s.Hint() + `"`
	if s == fsm.Stopped {
		attributes += ` peripheries=2`
	}
	role := RoleOf(s)
	if s == o.Highlight {
		role = svg.Current
	}
	return attributes + fmt.Sprintf(` fillcolor=%q color=%q fontcolor=%q`, role.Fill.Light, role.Line.Light, role.Text.Light)
}

// dotLabel quotes the lines: centered for a caption, left-aligned for rows.
func dotLabel(lines []string, o Options) string {
	const centered, left = `\n`, `\l`
	end := centered
	if o.rowByRow() {
		end = left
	}
	var label strings.Builder
	label.WriteByte('"')
	for i, l := range lines {
		label.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(l))
		if end == left || i < len(lines)-1 {
			label.WriteString(end)
		}
	}
	label.WriteByte('"')
	return label.String()
}

func dotColor(d direction) string {
	line, text, style := svg.Quiet, svg.Quiet, ""
	switch d {
	case toPoll:
		line, text = svg.Poller.Line, svg.Poller.Label
	case toStream:
		line, text = svg.Stream.Line, svg.Stream.Label
	case begins, leaves:
		style = " style=dashed"
	case stays, works:
	}
	return fmt.Sprintf("color=%q fontcolor=%q%s", line.Light, text.Light, style)
}
