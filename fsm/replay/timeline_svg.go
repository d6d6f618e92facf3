package replay

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
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
	legendRow = 22  // the height of a row of it
	axisTop   = 148 // the baseline of the axis' labels
	firstTop  = 160 // the top of the first worker

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

	// The times are repeated after so many workers, on a line above the next one.
	axisEvery = 5
	axisAbove = 4

	// maxWorkers bounds the height of the picture.
	maxWorkers = 50
	// maxName and maxTip bound texts from outside, in characters.
	maxName = 44
	maxTip  = 160
	// leastName is what is left of a name beside a long text, in characters.
	leastName = 24
	// charWidth is about the width of a character of a label, and nameWidth of one of the
	// name of a worker.
	charWidth = 6.4
	nameWidth = 8.6
	// lineLength is how many characters of a label fit on a line.
	lineLength = (svgWidth - 2*margin) * 10 / 64
)

// WriteSVG draws the timeline: for each worker a bar of states, and lanes for
// jobs, pings and the stream. Things in the same place are drawn once, with a
// count, so that the picture of a long log stays small. At most 50 workers are
// drawn.
func (t *Timeline) WriteSVG(w io.Writer) error {
	p := &picture{t: t, axis: newAxis(t), drawn: min(len(t.Workers), maxWorkers)}
	if _, err := w.Write(p.draw()); err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}

type picture struct {
	*svg.Picture

	t     *Timeline
	axis  axis
	drawn int // number of workers
}

func (p *picture) draw() []byte {
	bottom := float64(firstTop + p.drawn*groupHeight)
	height := int(bottom) + 24
	more := len(p.t.Workers) - p.drawn
	if more > 0 {
		height += 24
	}
	p.Picture = svg.New(svg.Head{
		Width: svgWidth, Height: height, Title: "What the workers did over time", Description: p.description(), Style: stylesheet,
		Defs: `<pattern id="switchyard-hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">` +
			`<path class="hatchline" d="M0 0v7"/></pattern>`,
	})
	p.legend()
	if len(p.t.Workers) == 0 {
		p.Text("heading", margin, headTop, svg.Start, "Workers over time")
		p.Text("quiet", margin, axisTop, svg.Start, "The log holds no records.")
		return p.Finish()
	}
	p.Text("heading", margin, headTop, svg.Start, fmt.Sprintf("Workers over time: %s to %s UTC (%s)",
		p.t.Begin.Format(clockFormat), p.t.endText(), short(p.t.length())))
	p.labels(bottom)
	for i := range p.drawn {
		p.worker(&p.t.Workers[i], float64(firstTop+i*groupHeight))
		if end := i + 1; end%axisEvery == 0 && end < p.drawn {
			p.times(float64(firstTop + end*groupHeight - axisAbove))
		}
	}
	if more > 0 {
		p.Text("quiet", margin, float64(height-16), svg.Start, fmt.Sprintf("and %s, not drawn", count(more, "more worker", 0, "")))
	}
	return p.Finish()
}

// endText returns the end, without the date if it is that of the beginning.
func (t *Timeline) endText() string {
	if t.End.Format(time.DateOnly) == t.Begin.Format(time.DateOnly) {
		return t.End.Format(time.TimeOnly)
	}
	return t.End.Format(clockFormat)
}

// description is the picture in words, for readers who cannot see it.
func (p *picture) description() string {
	var b strings.Builder
	b.WriteString(count(len(p.t.Workers), "worker", 0, "") + ", as a bar of states with lanes for jobs, pings and the stream.")
	for i := range p.drawn {
		w := &p.t.Workers[i]
		fmt.Fprintf(&b, " %s: %s. %s. %s.", cut(w.Title(), maxName), w.Summary.states(), w.Summary.counts(), w.leaving())
	}
	return b.String()
}

// labels writes the times of the axis above and below the workers.
func (p *picture) labels(bottom float64) {
	p.times(axisTop)
	p.times(bottom + 14)
}

// times writes the times of the axis on a line.
func (p *picture) times(y float64) {
	right := 0.0 // the end of the label before
	for _, k := range p.axis.ticks() {
		half := float64(len(k.label)) * charWidth / 2
		if k.x-half < right || k.x+half > svgWidth {
			continue
		}
		right = k.x + half + charWidth
		p.Text("quiet", k.x, y, svg.Middle, k.label)
	}
	p.Text("quiet", margin, y, svg.Start, "UTC")
}

// worker draws one group of lanes.
func (p *picture) worker(w *WorkerTimeline, top float64) {
	p.Group("", "")
	name, ending := w.heading()
	p.Text("worker", margin, top+nameY, svg.Start, name)
	class := "quiet"
	if w.Killed || w.Left != nil && w.Left.Failed {
		class = "bad"
	}
	p.Text(class, svgWidth-margin, top+nameY, svg.End, ending)
	p.Text("quiet", margin, top+countsY, svg.Start, cut(w.Summary.counts(), lineLength))
	for _, lane := range []struct {
		name            string
		y, height, base float64
	}{
		{"state", stateY, stateHeight, 16},
		{"jobs", jobY, jobHeight, 12},
		{"pings", pingY, pingHeight, laneBase},
		{"stream", markY, markHeight, laneBase},
	} {
		p.Text("quiet", plotLeft-10, top+lane.y+lane.base, svg.End, lane.name)
		p.Rect("lane", svg.Box{X: plotLeft, Y: top + lane.y, Width: plotWidth, Height: lane.height}, "")
	}
	var grid strings.Builder
	for _, k := range p.axis.ticks() {
		fmt.Fprintf(&grid, "M%s %vV%v", svg.Number(k.x), top+stateY-4, top+markY+markHeight+4)
	}
	p.Path("grid", grid.String(), "")
	p.states(w, top+stateY)
	p.pauses(w, top+stateY)
	p.ending(w, top+stateY)
	p.jobs(w, top+jobY)
	p.pings(w, top+pingY)
	p.stream(w, top+markY)
	p.EndGroup()
}

// legend explains the colors and signs.
func (p *picture) legend() {
	x, y := float64(margin), float64(legendTop)
	entry := func(draw func(), text string) {
		draw()
		p.Text("", x+26, y+11, svg.Start, text)
		x += 26 + float64(len([]rune(text)))*charWidth + 16
	}
	row := func() { x, y = margin, y+legendRow }
	rect := func(class string, left, top, width, height float64) func() {
		return func() { p.Rect(class, svg.Box{X: x + left, Y: y + top, Width: width, Height: height}, "") }
	}
	path := func(class string, path func() string) func() {
		return func() { p.Path(class, path(), "") }
	}
	for _, s := range drawnStates() {
		text := s.String()
		if s != fsm.Stopped {
			text += ": " + s.Hint()
		}
		entry(rect("s "+s.String(), 0, 0, 20, 14), text)
	}
	row()
	entry(rect("hatch", 0, 0, 20, 14), "paused")
	entry(rect("job", 0, 0, 20, 14), "job")
	entry(rect("job rejected", 0, 0, 20, 14), "job rejected")
	entry(rect("job unfinished", 0, 0, 20, 14), "job, end not recorded")
	entry(rect("ping", 9, 1, 3, 11), "ping")
	entry(rect("ping job", 9, 1, 3, 11), "ping that named a job")
	entry(rect("ping failed", 9, 1, 3, 11), "ping failed (its width is its duration)")
	row()
	entry(path("loss", func() string { return triangle(x+10, y+1) }), "stream lost")
	entry(path("loss", func() string { return smallTriangle(x+10, y+4) }), "failed to reopen")
	entry(path("planned", func() string { return triangle(x+10, y+1) }), "planned end of the stream")
	entry(rect("down", 0, 4, 20, 5), "stream down")
	entry(rect("gone", 9, 0, 3, 14), "the worker left")
	entry(path("silence", func() string { return "M" + svg.Number(x) + " " + svg.Number(y+7) + "h20" }), "no more records")
}

var commonRules = []svg.Rule{
	{Selector: ".heading", Other: "font-size:17px;font-weight:700"},
	{Selector: ".worker", Other: "font-size:14px;font-weight:700"},
	{Selector: ".quiet", Fill: svg.Quiet},
	{Selector: ".bad", Fill: svg.Bad, Other: "font-weight:600"},
	{Selector: ".grid", Stroke: svg.Grid, Other: "stroke-width:1"},
	{Selector: ".lane", Fill: svg.Lane},
	{Selector: ".s", Other: "stroke-width:.8"},
	{Selector: ".hatch", Fill: svg.Always("url(#switchyard-hatch)")},
	{Selector: ".hatchline", Stroke: svg.Ink, Other: "stroke-width:2.4"},
	{Selector: ".job", Fill: svg.Work},
	{Selector: ".job.rejected", Fill: svg.Paper, Stroke: svg.Bad, Other: "stroke-width:1.4"},
	{Selector: ".job.unfinished", Fill: svg.Faded, Stroke: svg.FadedLine, Other: "stroke-dasharray:3 2"},
	{Selector: ".id", Fill: svg.Always("#ffffff"), Other: "font-size:11px;pointer-events:none"},
	{Selector: ".id.rejected,.id.unfinished,.gone", Fill: svg.Ink},
	{Selector: ".ping", Fill: svg.Ping},
	{Selector: ".ping.job", Fill: svg.Work},
	{Selector: ".ping.failed,.loss,.down", Fill: svg.Bad},
	{Selector: ".down", Other: "opacity:.35"},
	{Selector: ".planned", Fill: svg.Always("none"), Stroke: svg.Quiet, Other: "stroke-width:1.3"},
	{Selector: ".silence", Stroke: svg.Quiet, Other: "stroke-width:1.5;stroke-dasharray:2 4"},
}

// stylesheet has the colors of the diagram for the states. Of two states with
// one color, the one with work in hand has the stronger fill.
var stylesheet = func() string {
	rules := slices.Clone(commonRules)
	for _, s := range drawnStates() {
		role := diagram.RoleOf(s)
		fill := role.Fill
		if s == fsm.Running || s == fsm.PollingBusy {
			fill = role.Line
		}
		rules = append(rules, svg.Rule{Selector: ".s." + s.String(), Fill: fill, Stroke: role.Line})
	}
	return svg.Stylesheet(12, rules...)
}()
