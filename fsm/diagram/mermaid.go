package diagram

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// pseudoState is how Mermaid names the state in which a diagram begins, and
// that in which it ends.
const pseudoState = "[*]"

// mermaidClasses colours the states by who is in control; each class says its
// text's colour too, so that it is readable on light and on dark pages.
const mermaidClasses = `    classDef stream fill:#dcfce7,stroke:#15803d,color:#14532d
    classDef poller fill:#ffedd5,stroke:#c2410c,color:#7c2d12
    classDef returning fill:#fef9c3,stroke:#4d7c0f,color:#365314
    classDef current fill:#1d4ed8,stroke:#1e3a8a,color:#ffffff,stroke-width:3px
`

func writeMermaid(page *bytes.Buffer, edges []edge, o Options) {
	page.WriteString("stateDiagram-v2\n")
	for _, s := range fsm.States() {
		if s == fsm.Initial || s == fsm.Stopped {
			continue
		}
		fmt.Fprintf(page, "    state \"%s\" as %s\n", s.String()+"<br/>"+hint(s), s)
	}
	for i := range edges {
		e := &edges[i]
		fmt.Fprintf(page, "    %s --> %s: %s\n",
			mermaidName(e.from), mermaidName(e.to), mermaidLabel(e.lines(o)))
	}
	page.WriteString(mermaidClasses)
	for _, s := range fsm.States() {
		if class := mermaidClass(s, o); class != "" {
			fmt.Fprintf(page, "    class %s %s\n", s, class)
		}
	}
}

// mermaidLabel joins the lines. A semicolon would end the statement there, and
// Mermaid would drop the rest without a word.
func mermaidLabel(lines []string) string {
	return strings.ReplaceAll(strings.Join(lines, "<br/>"), ";", ",")
}

func mermaidName(s fsm.State) string {
	if s == fsm.Initial || s == fsm.Stopped {
		return pseudoState
	}
	return s.String()
}

func mermaidClass(s fsm.State, o Options) string {
	switch s {
	case fsm.Initial, fsm.Stopped:
		return ""
	case o.Highlight:
		return "current"
	case fsm.StreamHealthy, fsm.Running:
		return "stream"
	case fsm.FallingBack, fsm.PollingBusy:
		return "poller"
	case fsm.Reclaiming:
		return "returning"
	default:
		return ""
	}
}

// hint says a state in a few words, for the inside of a box.
func hint(s fsm.State) string {
	switch s {
	case fsm.Initial:
		return "not started"
	case fsm.StreamHealthy:
		return "no work in hand"
	case fsm.Running:
		return "a job in hand"
	case fsm.FallingBack:
		return "waiting for the next ping"
	case fsm.PollingBusy:
		return "a ping in flight, or its job"
	case fsm.Reclaiming:
		return "work goes on, the stream waits"
	case fsm.Stopped:
		return "the worker leaves"
	default:
		return ""
	}
}
