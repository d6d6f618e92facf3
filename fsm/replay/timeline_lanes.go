package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

const (
	// A state of this width has a tooltip; one on which nothing else fits has at
	// least pointWidth.
	tipWidth   = 6
	pointWidth = 3
	// A job of this width has its ID on it.
	labelWidth = 30
)

// drawnStates returns the states of a running worker, in the order of the table.
func drawnStates() []fsm.State { return fsm.States()[1:] }

// states draws the bar of states: in each column the state with the most time.
func (p *picture) states(w *WorkerTimeline, y float64) {
	if w.Begin.Equal(w.End) {
		p.Rect("s "+w.States[0].State.String(), svg.Box{X: p.axis.x(w.Begin), Y: y, Width: pointWidth, Height: stateHeight},
			fmt.Sprintf("%v at %s", w.States[len(w.States)-1].State, clock(w.Begin)))
		return
	}
	paths := map[fsm.State]string{} // of the runs that are too narrow for a tooltip
	for _, r := range p.stateRuns(w) {
		if r.width() >= tipWidth {
			p.Rect("s "+r.state.String(), svg.Box{X: float64(plotLeft + r.from), Y: y, Width: float64(r.width()), Height: stateHeight}, r.tip())
			continue
		}
		paths[r.state] += fmt.Sprintf("M%d %vh%dv%dh-%dz", plotLeft+r.from, y, r.width(), stateHeight, r.width())
	}
	for _, s := range drawnStates() {
		if paths[s] != "" {
			p.Path("s "+s.String(), paths[s], "")
		}
	}
}

// stateRun is a run of columns with the same state.
type stateRun struct {
	state    fsm.State
	from, to int       // columns; to is the first one after the run
	begin    time.Time // of the spans in it
	end      time.Time
	spans    int
}

func (r *stateRun) width() int { return r.to - r.from }

func (r *stateRun) tip() string {
	what := r.state.String()
	if r.spans > 1 {
		what = "mostly " + what
	}
	return fmt.Sprintf("%s, %s to %s (%s)", what, clock(r.begin), clock(r.end), short(r.end.Sub(r.begin)))
}

func (p *picture) stateRuns(w *WorkerTimeline) []stateRun {
	var times [plotWidth]map[fsm.State]time.Duration
	for i := range w.States {
		s := &w.States[i]
		for c := p.axis.column(s.From); c <= p.axis.column(s.To); c++ {
			if times[c] == nil {
				times[c] = map[fsm.State]time.Duration{}
			}
			begin, end := p.axis.time(c), p.axis.time(c+1)
			times[c][s.State] += min(s.To.Sub(begin), end.Sub(begin)) - max(s.From.Sub(begin), 0)
		}
	}
	var columns [plotWidth]fsm.State // Initial where there is nothing
	for c, in := range &times {
		columns[c] = longest(in)
	}
	return p.runs(columns[:], w)
}

// longest returns the state with the most time, or Initial if there is none.
func longest(in map[fsm.State]time.Duration) fsm.State {
	best := fsm.Initial
	for _, s := range drawnStates() {
		if in[s] > in[best] {
			best = s
		}
	}
	return best
}

func (p *picture) runs(columns []fsm.State, w *WorkerTimeline) []stateRun {
	var runs []stateRun
	for c, s := range columns {
		if s == fsm.Initial {
			continue
		}
		if n := len(runs); n > 0 && runs[n-1].state == s && runs[n-1].to == c {
			runs[n-1].to++
			continue
		}
		runs = append(runs, stateRun{state: s, from: c, to: c + 1})
	}
	// The times of the spans in a run, or those of its columns if there is none.
	next := 0
	for i := range runs {
		r := &runs[i]
		r.begin, r.end = p.axis.time(r.from), p.axis.time(r.to)
		for next+1 < len(w.States) && p.axis.column(w.States[next].To) <= r.from {
			next++
		}
		for k := next; k < len(w.States) && p.axis.column(w.States[k].From) < r.to; k++ {
			if w.States[k].State == r.state {
				if r.spans == 0 {
					r.begin = w.States[k].From
				}
				r.spans, r.end = r.spans+1, w.States[k].To
			}
		}
	}
	return runs
}

func (p *picture) pauses(w *WorkerTimeline, y float64) {
	for _, b := range mergedSpans(p.axis, w.Pauses) {
		p.Rect("hatch", svg.Box{X: b.x0, Y: y, Width: b.width(pointWidth), Height: stateHeight}, b.tip("paused", "pauses"))
	}
}

// ending draws where the worker left, or where its records end.
func (p *picture) ending(w *WorkerTimeline, y float64) {
	switch {
	case w.Left != nil || w.Killed:
		at, tip := w.End, w.leaving()+", after "+clock(w.End)
		if w.Left != nil {
			at, tip = w.Left.Time, w.leaving()+" at "+clock(w.Left.Time)
		}
		x := p.axis.x(at)
		p.Rect("gone", svg.Box{X: x, Y: y - 2, Width: 3, Height: stateHeight + 4}, tip)
		if text := w.leaving(); at.Equal(w.End) && x+float64(len(text))*charWidth+12 < plotLeft+plotWidth {
			p.Text("quiet", x+8, y+16, svg.Start, text)
		}
	case w.End.Before(*p.t.End):
		p.Path("silence", fmt.Sprintf("M%s %sH%d", svg.Number(p.axis.x(w.End)), svg.Number(y+stateHeight/2), plotLeft+plotWidth),
			"nothing is recorded after "+clock(w.End))
	}
}

func (p *picture) jobs(w *WorkerTimeline, y float64) {
	kinds := []string{"", " rejected", " unfinished"}
	blocks := merged(p.axis, w.Jobs, func(j *JobSpan) Span { return j.Span }, func(j *JobSpan) int {
		switch j.Outcome {
		case Rejected:
			return 1
		case Unfinished:
			return 2
		}
		return 0
	})
	for _, b := range blocks {
		j := &w.Jobs[b.first]
		width := b.width(pointWidth)
		p.Rect("job"+kinds[b.kind], svg.Box{X: b.x0, Y: y, Width: width, Height: jobHeight, Radius: 2},
			b.tip(because("job "+string(j.Job)+" "+string(j.Outcome), j.Cause), "jobs, the first of them "+string(j.Job)))
		if b.count == 1 && width >= labelWidth {
			p.Text("id"+kinds[b.kind], b.x0+4, y+jobHeight-4, svg.Start, cut(string(j.Job), int((width-8)/charWidth)))
		}
	}
}

// pings draws pings as ticks, or as bars where they take long. A row of ticks of
// the same kind is one element, which keeps the picture of a long log small.
func (p *picture) pings(w *WorkerTimeline, y float64) {
	kinds := []string{"ping", "ping job", "ping failed"}
	blocks := merged(p.axis, w.Pings, func(s *PingSpan) Span { return s.Span }, func(s *PingSpan) int {
		switch {
		case s.failed():
			return 2
		case s.kind == fsm.AnsweredJob:
			return 1
		}
		return 0
	})
	for i := 0; i < len(blocks); {
		row := blocks[i] // grows to the whole row
		var path strings.Builder
		from := i
		for ; i < len(blocks) && blocks[i].kind == row.kind && (i == from || blocks[i].x0-blocks[i-1].x0 < 2*slotWidth); i++ {
			b := &blocks[i]
			width := svg.Number(b.width(2))
			fmt.Fprintf(&path, "M%s %vh%sv%dh-%sz", svg.Number(b.x0), y, width, pingHeight, width)
			if i > from {
				row.count += b.count
				row.end = b.end
			}
		}
		s := &w.Pings[row.first]
		many := "pings"
		if row.kind == 2 {
			many += ", " + because("with failures, such as", s.Cause)
		}
		p.Path(kinds[row.kind], path.String(), row.tip(because("ping "+string(s.Answer), s.Cause), many))
	}
}

// stream draws the times in which the stream was down, and over them its losses
// and ends.
func (p *picture) stream(w *WorkerTimeline, y float64) {
	for _, b := range mergedSpans(p.axis, w.Outages) {
		p.Rect("down", svg.Box{X: b.x0, Y: y + 3, Width: b.width(1), Height: 5}, b.tip("stream down", "outages"))
	}
	blocks := merged(p.axis, w.Marks, func(m *StreamMark) Span { return Span{From: m.Time, To: m.Time} }, func(m *StreamMark) int {
		switch {
		case m.Loss():
			return 2
		case m.Again:
			return 1
		}
		return 0
	})
	for _, b := range blocks {
		m := &w.Marks[b.first]
		class, path := "planned", triangle(p.axis.x(m.Time), y)
		switch b.kind {
		case 1:
			class, path = "loss", smallTriangle(p.axis.x(m.Time), y+2)
		case 2:
			class = "loss"
		}
		p.Path(class, path, b.tip(because(m.text(), m.Cause), because("times, such as "+m.text(), m.Cause)))
	}
}

// triangle returns the path of a triangle that points down, to a moment.
func triangle(x, y float64) string { return fmt.Sprintf("M%s %vh12l-6 11z", svg.Number(x-6), y) }

func smallTriangle(x, y float64) string { return fmt.Sprintf("M%s %vh6l-3 6z", svg.Number(x-3), y) }
