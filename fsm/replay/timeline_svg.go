package replay

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"
	"time"
)

// The layout, in units of the picture, about a pixel each at the width of a
// page.
const (
	svgWidth  = 1200
	plotLeft  = 76
	plotWidth = 1104 // plotLeft and it leave a margin on the right

	margin    = 20
	headTop   = 30  // the baseline of the heading
	legendTop = 52  // the first row of the legend
	legendRow = 22  // how high a row of it is
	axisTop   = 148 // the baseline of the axis' labels
	firstTop  = 160 // where the first worker begins

	// Within a worker, from its top.
	nameY       = 18
	countsY     = 34
	stateY      = 42
	stateHeight = 24
	jobY        = 70
	jobHeight   = 15
	pingY       = 89
	pingHeight  = 11
	markY       = 104
	markHeight  = 11
	laneBase    = 10 // from the top of a thin lane to the baseline of its label
	groupHeight = 136

	// mostWorkers bounds the height of the picture.
	mostWorkers = 50
	// longestName and longestTip bound texts from outside, in characters.
	longestName = 44
	longestTip  = 160
	// charWidth is about the width of a character of a label.
	charWidth = 6.4
)

// WriteSVG draws the timeline: for each worker a bar of states, and lanes for
// jobs, pings and the stream. What falls on the same place is drawn once, with
// a count, so that the picture of a long night stays small. At most 50 workers
// are drawn.
func (t *Timeline) WriteSVG(w io.Writer) error {
	var page bytes.Buffer
	p := &picture{page: &page, t: t, axis: newAxis(t.Begin, t.End), drawn: min(len(t.Workers), mostWorkers)}
	p.draw()
	if _, err := w.Write(page.Bytes()); err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}

type picture struct {
	page  *bytes.Buffer
	t     *Timeline
	axis  axis
	drawn int // how many workers
}

func (p *picture) printf(format string, args ...any) { fmt.Fprintf(p.page, format, args...) }

func (p *picture) draw() {
	bottom := firstTop + p.drawn*groupHeight
	height := bottom + 24
	more := len(p.t.Workers) - p.drawn
	if more > 0 {
		height += 24
	}
	p.head(height)
	p.legend()
	if len(p.t.Workers) == 0 {
		p.text("The log holds no records.", margin, axisTop, "start", "quiet")
		p.printf("</svg>\n")
		return
	}
	p.labels(bottom)
	for i := range p.drawn {
		p.worker(&p.t.Workers[i], firstTop+i*groupHeight)
	}
	if more > 0 {
		p.text(fmt.Sprintf("and %s, not drawn", count(more, "more worker", 0, "")), margin, height-16, "start", "quiet")
	}
	p.printf("</svg>\n")
}

func (p *picture) head(height int) {
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="switchyard-title switchyard-desc">
<title id="switchyard-title">What the workers did over time</title>
<desc id="switchyard-desc">%s</desc>
<style>
%s</style>
<defs><pattern id="switchyard-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatchline" d="M0 0v7"/></pattern></defs>
<rect class="paper" width="%d" height="%d" rx="12"/>
`, svgWidth, height, p.description(), stylesheet(), svgWidth, height)
	title := "Workers over time"
	if len(p.t.Workers) > 0 {
		title += fmt.Sprintf(": %s to %s UTC (%s)", p.t.Begin.Format(clockFormat), p.t.endText(), short(p.t.End.Sub(p.t.Begin)))
	}
	p.text(title, margin, headTop, "start", "heading")
}

// endText leaves out the date where it is that of the begin.
func (t *Timeline) endText() string {
	if t.End.Format(time.DateOnly) == t.Begin.Format(time.DateOnly) {
		return t.End.Format(time.TimeOnly)
	}
	return t.End.Format(clockFormat)
}

// description is the picture in words, for those who cannot see it.
func (p *picture) description() string {
	var b strings.Builder
	b.WriteString(count(len(p.t.Workers), "worker", 0, "") + ", as a bar of states with lanes for jobs, pings and the stream.")
	for i := range p.drawn {
		w := &p.t.Workers[i]
		fmt.Fprintf(&b, " %s: %s. %s. %s.", cut(w.Worker, longestName), w.Summary.states(), w.Summary.counts(), w.end())
	}
	return escape(b.String())
}

// grid draws the lines of the axis behind the lanes of a worker.
func (p *picture) grid(top int) {
	var path strings.Builder
	for _, k := range p.axis.ticks() {
		fmt.Fprintf(&path, "M%s %dV%d", number(k.x), top+stateY-4, top+markY+markHeight+4)
	}
	p.printf(`<path class="grid" d="%s"/>`+"\n", path.String())
}

// labels writes the times of the axis above and below the workers.
func (p *picture) labels(bottom int) {
	right := 0.0 // where the label before ends
	for _, k := range p.axis.ticks() {
		half := float64(len(k.label)) * charWidth / 2
		if k.x-half < right || k.x+half > svgWidth {
			continue
		}
		right = k.x + half + charWidth
		p.text(k.label, k.x, axisTop, "middle", "quiet")
		p.text(k.label, k.x, float64(bottom+14), "middle", "quiet")
	}
	p.text("UTC", margin, axisTop, "start", "quiet")
	p.text("UTC", margin, bottom+14, "start", "quiet")
}

// worker draws one group of lanes.
func (p *picture) worker(w *WorkerTimeline, top int) {
	p.printf("<g>\n")
	name := cut(w.Worker, longestName)
	p.text(name, margin, top+nameY, "start", "worker")
	class := "quiet"
	if w.Left != nil && w.Left.Reason.Failed() {
		class = "bad"
	}
	p.text(w.end()+" · "+w.Summary.states(), svgWidth-margin, top+nameY, "end", class)
	p.text(w.Summary.counts(), margin, top+countsY, "start", "quiet")
	for _, lane := range []struct {
		name          string
		y, height, at int
	}{
		{"state", stateY, stateHeight, 16},
		{"jobs", jobY, jobHeight, 12},
		{"pings", pingY, pingHeight, laneBase},
		{"stream", markY, markHeight, laneBase},
	} {
		p.text(lane.name, plotLeft-10, top+lane.y+lane.at, "end", "quiet")
		p.printf(`<rect class="lane" x="%d" y="%d" width="%d" height="%d"/>`+"\n", plotLeft, top+lane.y, plotWidth, lane.height)
	}
	p.grid(top)
	p.states(w, top+stateY)
	p.pauses(w, top+stateY)
	p.ending(w, top+stateY)
	p.jobs(w, top+jobY)
	p.pings(w, top+pingY)
	p.stream(w, top+markY)
	p.printf("</g>\n")
}

// text writes a text at a point, whose coordinates are int or float64.
func (p *picture) text(s string, x, y any, anchor, class string) {
	p.printf(`<text x="%v" y="%v" text-anchor="%s" class="%s">%s</text>`+"\n", coordinate(x), coordinate(y), anchor, class, escape(s))
}

func coordinate(v any) any {
	if f, ok := v.(float64); ok {
		return number(f)
	}
	return v
}

// number writes a coordinate to a tenth.
func number(f float64) string { return strconv.FormatFloat(float64(int(f*10+0.5))/10, 'f', -1, 64) }

// escape makes a text from outside fit for XML.
func escape(s string) string { return html.EscapeString(printable(s)) }
