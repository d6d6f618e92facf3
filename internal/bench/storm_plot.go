package main

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

const (
	plotMode   = 0o644 // a picture is for everyone
	plotWidth  = 1200
	plotLeft   = 92
	plotSpan   = 1084 // of the time axis
	laneHeight = 96
	laneGap    = 26
	panelTop   = 84
	panelHead  = 44
	panelFoot  = 34
)

// plotStyle follows the reader's wish for light or dark, as the project's other
// pictures do.
const plotStyle = `text{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2328}
.paper{fill:#ffffff}.heading{font-size:17px;font-weight:700}.panel{font-size:14px;font-weight:700}.quiet{fill:#57606a}
.lane{fill:#f6f8fa}.away{fill:#eac54f;opacity:.22}.came{fill:#1d4ed8}.refused{fill:#bc4c00}
.window{stroke:#57606a;stroke-width:1;stroke-dasharray:4 3}.bound{stroke:#1a7f37;stroke-width:1.2}.boundtext{fill:#1a7f37}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.paper{fill:#0d1117}.quiet{fill:#9aa4af}.lane{fill:#161b22}
.away{fill:#bb8009}
.came{fill:#5b92ff}.refused{fill:#f0883e}.window{stroke:#9aa4af}.bound{stroke:#3fb950}.boundtext{fill:#3fb950}}
`

// lane is one kind of arrival of a storm.
type lane struct {
	name     string
	arrivals []arrival
	windows  []time.Duration // where they end
	bound    int             // what a slice holds where there is no wave; zero draws none
}

// lanes are what is drawn of a storm, with the windows that its pacing has.
func (s *storm) lanes() []lane {
	var intervals []time.Duration
	for at := pingInterval; at < s.back; at += pingInterval {
		intervals = append(intervals, at)
	}
	return []lane{
		// A second, then ten, then twice that (package pace).
		{"reconnects", s.streams, []time.Duration{time.Second, 11 * time.Second, 31 * time.Second}, mostReconnects(s.workers)},
		{"pings", s.pings, intervals, mostLaterPings(s.workers)},
		{"heartbeats", s.beats, nil, 0},
	}
}

// plot is a picture in the making.
type plot struct {
	bytes.Buffer

	begin, end time.Duration // of the time axis
	most       int           // what fills a lane's height
}

// plotStorms draws a histogram of arrivals for each storm, one lane a kind.
func plotStorms(p plan, storms []storm) []byte {
	var out plot
	lanes := len(storms[0].lanes())
	panel := panelHead + lanes*(laneHeight+laneGap) + panelFoot
	height := panelTop + len(storms)*panel
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="t d">
<title id="t">A restart of the control plane, and what %d workers send</title>
<desc id="d">%s</desc>
<style>
%s</style>
<rect class="paper" width="%d" height="%d" rx="12"/>
`, plotWidth, height, p.crowd, html.EscapeString(strings.Join(stormResult(p, storms).notes, ". ")), plotStyle, plotWidth, height)
	out.text(20, 32, "start", "heading", fmt.Sprintf("A restart of the control plane, and what %d workers send", p.crowd))
	out.text(20, 54, "start", "quiet", fmt.Sprintf("Arrivals per %d ms; a full lane is %d, what is more is written. "+
		"Dashed: the ends of reconnect windows and of ping intervals. Green: the most where arrivals are independent.",
		stormSlice.Milliseconds(), p.crowd/5))
	out.rect("came", 20, 64, 10, 10)
	out.text(36, 73, "start", "quiet", "arrived")
	out.rect("refused", 96, 64, 10, 10)
	out.text(112, 73, "start", "quiet", "found nobody")
	out.rect("away", 206, 64, 10, 10)
	out.text(222, 73, "start", "quiet", "the control plane is away")
	for i := range storms {
		s := &storms[i]
		out.begin, out.end, out.most = -stormBefore, s.span, max(p.crowd/5, 1)
		out.panel(s, float64(panelTop+i*panel))
	}
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func (p *plot) panel(s *storm, top float64) {
	p.text(20, top+22, "start", "panel", s.way.name)
	y := top + panelHead
	for _, l := range s.lanes() {
		p.lane(s, l, y)
		y += laneHeight + laneGap
	}
	for at := time.Duration(0); at < p.end; at += 5 * time.Second {
		p.text(p.x(at), y-2, "middle", "quiet", fmt.Sprintf("%d s", int(at.Seconds())))
	}
}

func (p *plot) lane(s *storm, l lane, top float64) {
	bottom := top + laneHeight
	p.text(plotLeft-8, top+14, "end", "", l.name)
	p.rect("lane", plotLeft, top, plotSpan, laneHeight)
	p.rect("away", p.x(0), top, p.x(s.back)-p.x(0), laneHeight)
	for _, at := range l.windows {
		if at < p.end {
			fmt.Fprintf(p, `<path class="window" d="M%.1f %.1fV%.1f"/>`+"\n", p.x(at), top, bottom)
		}
	}
	p.bars(l, top)
	if l.bound > 0 && l.bound < p.most {
		y := bottom - p.height(l.bound)
		fmt.Fprintf(p, `<path class="bound" d="M%d %.1fH%d"/>`+"\n", plotLeft, y, plotLeft+plotSpan)
		p.text(plotLeft-8, y+4, "end", "boundtext", strconv.Itoa(l.bound))
	}
}

// bars draws a lane's arrivals, and writes what does not fit into it.
func (p *plot) bars(l lane, top float64) {
	const labelWidth = 26 // of a number
	came, refused := map[int]int{}, map[int]int{}
	for _, a := range l.arrivals {
		if a.refused {
			refused[sliceOf(a.at)]++
		} else {
			came[sliceOf(a.at)]++
		}
	}
	free := 0.0 // where there is room for the next number
	for n := sliceOf(p.begin); n < sliceOf(p.end); n++ {
		at := time.Duration(n) * stormSlice
		x, width := p.x(at), max(p.x(at+stormSlice)-p.x(at)-0.4, 0.6)
		up := p.height(came[n])
		over := min(p.height(refused[n]), laneHeight-up)
		bottom := top + laneHeight
		p.rect("came", x, bottom-up, width, up)
		p.rect("refused", x, bottom-up-over, width, over)
		if all := came[n] + refused[n]; all > p.most && x > free {
			p.text(x+4, top+12, "start", "", strconv.Itoa(all))
			free = x + labelWidth
		}
	}
}

// x is where a time is, height how high a count is.
func (p *plot) x(at time.Duration) float64 {
	return plotLeft + plotSpan*float64(at-p.begin)/float64(p.end-p.begin)
}

func (p *plot) height(count int) float64 {
	return laneHeight * min(float64(count)/float64(p.most), 1)
}

func (p *plot) rect(class string, x, y, width, height float64) {
	if height > 0 {
		fmt.Fprintf(p, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", class, x, y, width, height)
	}
}

func (p *plot) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}
