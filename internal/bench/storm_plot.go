package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
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

// plotStyle returns the style sheet, with the colors of the project's other
// pictures.
func plotStyle() string {
	return svg.Stylesheet(12,
		svg.Rule{Selector: ".heading", Other: "font-size:17px;font-weight:700"},
		svg.Rule{Selector: ".panel", Other: "font-size:14px;font-weight:700"},
		svg.Rule{Selector: ".quiet", Fill: svg.Quiet},
		svg.Rule{Selector: ".lane", Fill: svg.Lane},
		svg.Rule{Selector: ".away", Fill: svg.Away, Other: "opacity:.22"},
		svg.Rule{Selector: ".came", Fill: svg.Work},
		svg.Rule{Selector: ".refused", Fill: svg.Poller.Line},
		svg.Rule{Selector: ".window", Stroke: svg.Quiet, Other: "stroke-width:1;stroke-dasharray:4 3"},
		svg.Rule{Selector: ".bound", Stroke: svg.Stream.Line, Other: "stroke-width:1.2"},
		svg.Rule{Selector: ".boundtext", Fill: svg.Stream.Label})
}

// lane is one kind of arrival of a storm.
type lane struct {
	name     string
	arrivals []arrival
	windows  []time.Duration // where they end
	bound    int             // the most in a slice of independent arrivals; zero draws none
}

// lanes returns the lanes of a storm, with the windows of its pacing.
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

// plot is the picture of a storm, while it is drawn.
type plot struct {
	*svg.Picture

	begin, end time.Duration // of the time axis
	most       int           // the count that fills a lane's height
}

// plotStorms draws a histogram of arrivals for each storm, with one lane for each
// kind.
func plotStorms(p plan, storms []storm) []byte {
	panel := panelHead + len(storms[0].lanes())*(laneHeight+laneGap) + panelFoot
	title := fmt.Sprintf("A restart of the control plane, and what %d workers send", p.crowd)
	out := plot{most: max(p.crowd/5, 1), Picture: svg.New(svg.Head{
		Width: plotWidth, Height: panelTop + len(storms)*panel, Style: plotStyle(), Title: title,
		Description: strings.Join(stormResult(p, storms).notes, ". "),
	})}
	out.Text("heading", 20, 32, svg.Start, title)
	out.Text("quiet", 20, 54, svg.Start, fmt.Sprintf("Arrivals per %d ms; a full lane is %d, and higher numbers are written. "+
		"Dashed: the ends of reconnect windows and of ping intervals. Green: the most where arrivals are independent.",
		stormSlice.Milliseconds(), p.crowd/5))
	for _, k := range []struct {
		class, text string
		x           float64
	}{{"came", "arrived", 20}, {"refused", "connection refused", 96}, {"away", "the control plane is down", 240}} {
		out.bar(k.class, k.x, 64, 10, 10)
		out.Text("quiet", k.x+16, 73, svg.Start, k.text)
	}
	for i := range storms {
		s := &storms[i]
		out.begin, out.end = -stormBefore, s.span
		out.panel(s, float64(panelTop+i*panel))
	}
	return out.Finish()
}

func (p *plot) panel(s *storm, top float64) {
	p.Text("panel", 20, top+22, svg.Start, s.way.name)
	y := top + panelHead
	for _, l := range s.lanes() {
		p.lane(s, l, y)
		y += laneHeight + laneGap
	}
	for at := time.Duration(0); at < p.end; at += 5 * time.Second {
		p.Text("quiet", p.x(at), y-2, svg.Middle, fmt.Sprintf("%d s", int(at.Seconds())))
	}
}

func (p *plot) lane(s *storm, l lane, top float64) {
	bottom := top + laneHeight
	p.Text("", plotLeft-8, top+14, svg.End, l.name)
	p.bar("lane", plotLeft, top, plotSpan, laneHeight)
	p.bar("away", p.x(0), top, p.x(s.back)-p.x(0), laneHeight)
	for _, at := range l.windows {
		if at < p.end {
			p.Path("window", fmt.Sprintf("M%s %vV%v", svg.Number(p.x(at)), top, bottom), "")
		}
	}
	p.bars(l, top)
	if l.bound > 0 && l.bound < p.most {
		y := bottom - p.height(l.bound)
		p.Path("bound", fmt.Sprintf("M%d %sH%d", plotLeft, svg.Number(y), plotLeft+plotSpan), "")
		p.Text("boundtext", plotLeft-8, y+4, svg.End, strconv.Itoa(l.bound))
	}
}

// bars draws a lane's arrivals, and writes the numbers that do not fit into it.
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
		p.bar("came", x, bottom-up, width, up)
		p.bar("refused", x, bottom-up-over, width, over)
		if all := came[n] + refused[n]; all > p.most && x > free {
			p.Text("", x+4, top+12, svg.Start, strconv.Itoa(all))
			free = x + labelWidth
		}
	}
}

// x returns the place of a time on the axis.
func (p *plot) x(at time.Duration) float64 {
	return plotLeft + plotSpan*float64(at-p.begin)/float64(p.end-p.begin)
}

// height returns the height of a count, at most that of the lane.
func (p *plot) height(count int) float64 {
	return laneHeight * min(float64(count)/float64(p.most), 1)
}

// bar draws a rectangle, unless it has no height.
func (p *plot) bar(class string, x, y, width, height float64) {
	if height > 0 {
		p.Rect(class, svg.Box{X: x, Y: y, Width: width, Height: height}, "")
	}
}
