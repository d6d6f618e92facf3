package replay

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

// timelineStyle is the stylesheet, without the colours of the states, which are
// those of the diagram. The picture has a paper of its own, and follows the
// reader's wish for light or dark. No font is fetched.
const timelineStyle = `text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}
.paper{fill:#ffffff}
.heading{font-size:17px;font-weight:700}
.worker{font-size:14px;font-weight:700}
.quiet{fill:#57606a}
.bad{fill:#cf222e;font-weight:600}
.grid{stroke:#d0d7de;stroke-width:1}
.rule{stroke:#57606a;stroke-width:1}
.lane{fill:#f6f8fa}
.s{stroke-width:.8}
.hatch{fill:url(#switchyard-hatch)}
.hatchline{stroke:#1f2328;stroke-width:2.4}
.job{fill:#1d4ed8}
.job.rejected{fill:#ffffff;stroke:#cf222e;stroke-width:1.4}
.job.unfinished{fill:#93b4f8;stroke:#1d4ed8;stroke-dasharray:3 2}
.id{font-size:11px;fill:#ffffff;pointer-events:none}
.id.rejected,.id.unfinished{fill:#1f2328}
.ping{fill:#6e7781}
.ping.job{fill:#1d4ed8}
.ping.failed,.loss,.down{fill:#cf222e}
.down{opacity:.35}
.planned{fill:none;stroke:#57606a;stroke-width:1.3}
.silence{stroke:#57606a;stroke-width:1.5;stroke-dasharray:2 4}
.gone{fill:#1f2328}
`

const timelineDarkStyle = `text{fill:#e6edf3}
.paper{fill:#0d1117}
.quiet{fill:#9aa4af}
.bad{fill:#ff7b72}
.grid{stroke:#30363d}
.rule{stroke:#9aa4af}
.lane{fill:#161b22}
.hatchline{stroke:#e6edf3}
.job{fill:#2f6feb}
.job.rejected{fill:#0d1117;stroke:#ff7b72}
.job.unfinished{fill:#1c3a75;stroke:#7aa5ff}
.id.rejected,.id.unfinished{fill:#e6edf3}
.ping{fill:#9aa4af}
.ping.job{fill:#2f6feb}
.ping.failed,.loss,.down{fill:#ff7b72}
.planned{stroke:#9aa4af}
.silence{stroke:#9aa4af}
.gone{fill:#e6edf3}
`

// stateStyle colours the states. Those that share the colours in the diagram
// differ in that a state with work in hand is filled with the stronger one.
func stateStyle(dark bool) string {
	var b strings.Builder
	for _, s := range drawnStates {
		c := diagram.ColoursOf(s)
		fill, line := c.Fill, c.Line
		if dark {
			fill, line = c.DarkFill, c.DarkLine
		}
		if s == fsm.Running || s == fsm.PollingBusy {
			fill = line
		}
		fmt.Fprintf(&b, ".s.%v{fill:%s;stroke:%s}\n", s, fill, line)
	}
	return b.String()
}

// drawnStates are all that a worker is in, in the order of the legend.
var drawnStates = append(append([]fsm.State(nil), live...), fsm.Stopped)

func stylesheet() string {
	return timelineStyle + stateStyle(false) + "@media (prefers-color-scheme:dark){\n" + timelineDarkStyle + stateStyle(true) + "}\n"
}
