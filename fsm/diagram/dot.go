package diagram

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

const dotHead = `digraph switchyard {
    rankdir=TB
    bgcolor="transparent"
    graph [fontname="Helvetica" fontcolor="#57606a"]
    node [shape=box style="rounded,filled" fontname="Helvetica" fontsize=13 penwidth=1.5]
    edge [fontname="Helvetica" fontsize=10 penwidth=1.5]
`

func writeDOT(page *bytes.Buffer, edges []edge, o Options) {
	page.WriteString(dotHead)
	for _, s := range fsm.States() {
		fmt.Fprintf(page, "    %s [%s]\n", s, dotState(s, o))
	}
	for i := range edges {
		e := &edges[i]
		fmt.Fprintf(page, "    %s -> %s [label=%s %s]\n",
			e.from, e.to, dotLabel(e.lines(o), o), dotColour(e.direction()))
	}
	page.WriteString("}\n")
}

func dotState(s fsm.State, o Options) string {
	if s == fsm.Initial {
		return `label="" shape=circle width=0.2 fillcolor="#57606a" color="#57606a"`
	}
	attributes := `label="` + s.String() + `\n` + hint(s) + `"`
	if s == fsm.Stopped {
		attributes += ` peripheries=2`
	}
	if s == o.Highlight {
		return attributes + ` fillcolor="#1d4ed8" color="#1e3a8a" fontcolor="#ffffff"`
	}
	switch nearness(s) {
	case nearness(fsm.StreamHealthy):
		return attributes + ` fillcolor="#dcfce7" color="#15803d" fontcolor="#14532d"`
	case nearness(fsm.Reclaiming):
		return attributes + ` fillcolor="#fef9c3" color="#4d7c0f" fontcolor="#365314"`
	case nearness(fsm.FallingBack):
		return attributes + ` fillcolor="#ffedd5" color="#c2410c" fontcolor="#7c2d12"`
	default:
		return attributes + ` fillcolor="#eaeef2" color="#57606a" fontcolor="#24292f"`
	}
}

// dotLabel quotes the lines: centred when they are a few words, and to the left
// when they are rows.
func dotLabel(lines []string, o Options) string {
	const centred, left = `\n`, `\l`
	end := centred
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

func dotColour(d direction) string {
	switch d {
	case goesDown:
		return `color="#c2410c" fontcolor="#c2410c"`
	case goesHome:
		return `color="#15803d" fontcolor="#15803d"`
	case begins, leaves:
		return `color="#57606a" fontcolor="#57606a" style=dashed`
	case stays, works:
	}
	return `color="#57606a" fontcolor="#57606a"`
}
