package diagram

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// pseudoState is Mermaid's name of the state in which a diagram begins, and of
// the one in which it ends.
const pseudoState = "[*]"

func writeMermaid(page *bytes.Buffer, edges []edge, o Options) {
	page.WriteString("stateDiagram-v2\n")
	for _, s := range fsm.States() {
		if mermaidName(s) != pseudoState {
			fmt.Fprintf(page, "    state \"%s<br/>%s\" as %s\n", s, s.Hint(), s)
		}
	}
	for i := range edges {
		e := &edges[i]
		fmt.Fprintf(page, "    %s --> %s: %s\n", mermaidName(e.from), mermaidName(e.to), mermaidLabel(e.lines(o)))
	}
	// Each class sets the color of its text too, so that it is readable on light
	// and on dark pages.
	for _, r := range []svg.Role{svg.Stream, svg.Poller, svg.Returning, svg.Current} {
		fmt.Fprintf(page, "    classDef %s fill:%s,stroke:%s,color:%s", r.Class, r.Fill.Light, r.Line.Light, r.Text.Light)
		if r == svg.Current {
			page.WriteString(",stroke-width:3px")
		}
		page.WriteByte('\n')
	}
	for _, s := range fsm.States() {
		role := RoleOf(s)
		if s == o.Highlight {
			role = svg.Current
		}
		if mermaidName(s) != pseudoState {
			fmt.Fprintf(page, "    class %s %s\n", s, role.Class)
		}
	}
}

// mermaidLabel joins the lines. A semicolon would end the statement, and Mermaid
// would silently drop the rest.
func mermaidLabel(lines []string) string {
	return strings.ReplaceAll(strings.Join(lines, "<br/>"), ";", ",")
}

func mermaidName(s fsm.State) string {
	if s == fsm.Initial || s == fsm.Stopped {
		return pseudoState
	}
	return s.String()
}
