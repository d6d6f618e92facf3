package diagram

// stylesheet colours the picture. Its paper is its own, so that it is readable
// on any page, and follows the reader's wish for light or dark. The colours of
// text on its ground have a contrast of 4.5 to 1 or more in both. No font is
// fetched.
const stylesheet = `text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:13px;fill:#1f2328}
.paper{fill:#ffffff}
.frame{stroke-width:1;stroke-dasharray:none}
.frame.stream{fill:#f0fdf4;stroke:#bbf7d0}
.frame.poller{fill:#fff7ed;stroke:#fed7aa}
.title{font-size:13px;font-weight:600}
.title.stream{fill:#166534}
.title.poller{fill:#9a3412}
.heading{font-size:15px;font-weight:700}
.heading.down,.down .label{fill:#b93a0a}
.heading.home,.home .label{fill:#15743a}
.plate{fill:#ffffff;opacity:.92}
.line{fill:none;stroke:#57606a;stroke-width:1.8}
.down .line{stroke:#d9480f;stroke-width:2.6}
.home .line{stroke:#15803d;stroke-width:2.6}
.leave .line{stroke-dasharray:5 4}
.head path{fill:#57606a}
.head.down path{fill:#d9480f}
.head.home path{fill:#15803d}
.dot{fill:#57606a}
.state rect{stroke-width:2}
.stream rect{fill:` + streamFill + `;stroke:` + streamLine + `}
.poller rect{fill:` + pollerFill + `;stroke:` + pollerLine + `}
.returning rect{fill:` + returningFill + `;stroke:` + returningLine + `}
.stopped rect{fill:` + stoppedFill + `;stroke:` + stoppedLine + `}
.current rect{fill:#1d4ed8;stroke:#1e3a8a;stroke-width:4}
.current .name,.current .hint{fill:#ffffff}
.name{font-size:17px;font-weight:700}
.hint{font-size:12.5px}
.dimmed{opacity:.3}
.key,.row{font-size:12px;fill:#57606a}
.edgename{font-size:12.5px;font-weight:700}
.edgename.down{fill:#b93a0a}
.edgename.home{fill:#15743a}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.paper{fill:#0d1117}
.frame.stream{fill:#0b1f14;stroke:#1f4d33}
.frame.poller{fill:#23160c;stroke:#5c3a1c}
.title.stream{fill:#86d9a5}
.title.poller{fill:#f0b283}
.heading.down,.down .label,.edgename.down{fill:#ff9d66}
.heading.home,.home .label,.edgename.home{fill:#56d488}
.plate{fill:#0d1117}
.line{stroke:#9aa4af}
.down .line{stroke:#f0743a}
.home .line{stroke:#2ea45a}
.head path,.dot{fill:#9aa4af}
.head.down path{fill:#f0743a}
.head.home path{fill:#2ea45a}
.key,.row{fill:#9aa4af}
.stream rect{fill:` + streamDarkFill + `;stroke:` + streamDarkLine + `}
.poller rect{fill:` + pollerDarkFill + `;stroke:` + pollerDarkLine + `}
.returning rect{fill:` + returningDarkFill + `;stroke:` + returningDarkLine + `}
.stopped rect{fill:` + stoppedDarkFill + `;stroke:` + stoppedDarkLine + `}
.current rect{fill:#2f6feb;stroke:#a5c8ff}
}
`

// class is the name of a direction in the stylesheet.
func (d direction) class() string {
	switch d {
	case goesDown:
		return "down"
	case goesHome:
		return "home"
	case leaves:
		return "leave"
	case begins, stays, works:
	}
	return "work"
}

// head is the class of the direction's arrowhead.
func (d direction) head() string { return d.class() }
