package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

const (
	// A state that is this wide has a tooltip, and one on which nothing else
	// fits is drawn with this width at least.
	tipWidth   = 6
	pointWidth = 3
	// A job that is this wide has its id on it.
	labelWidth = 30
)

// states draws the bar of states: in each column of the plot the state that
// took most of it.
func (p *picture) states(w *WorkerTimeline, y int) {
	if w.Begin.Equal(w.End) {
		p.printf(`<rect class="s %v" x="%s" y="%d" width="%d" height="%d"><title>%v at %s</title></rect>`+"\n",
			w.States[0].State, number(p.axis.x(w.Begin)), y, pointWidth, stateHeight, w.States[len(w.States)-1].State, clock(w.Begin))
		return
	}
	var paths [len(stateTally{})]strings.Builder
	for _, r := range p.stateRuns(w) {
		if r.width() >= tipWidth {
			p.printf(`<rect class="s %v" x="%d" y="%d" width="%d" height="%d"><title>%s</title></rect>`+"\n",
				r.state, plotLeft+r.from, y, r.width(), stateHeight, r.tip())
			continue
		}
		fmt.Fprintf(&paths[r.state], "M%d %dh%dv%dh-%dz", plotLeft+r.from, y, r.width(), stateHeight, r.width())
	}
	for _, s := range drawnStates {
		if path := paths[s].String(); path != "" {
			p.printf(`<path class="s %v" d="%s"/>`+"\n", s, path)
		}
	}
}

// stateTally is the time in each state.
type stateTally [int(fsm.Stopped) + 1]time.Duration

// stateRun is a stretch of columns with the same state.
type stateRun struct {
	state    fsm.State
	from, to int       // columns, to is the first one after
	begin    time.Time // of the spans that lie in it
	end      time.Time
	spans    int
}

func (r *stateRun) width() int { return r.to - r.from }

func (r *stateRun) tip() string {
	what, d := r.state.String(), r.end.Sub(r.begin)
	if r.spans > 1 {
		what = "mostly " + what
	}
	return fmt.Sprintf("%s, %s to %s (%s)", what, clock(r.begin), clock(r.end), short(d))
}

func (p *picture) stateRuns(w *WorkerTimeline) []stateRun {
	tallies := map[int]*stateTally{} // of the columns that have several states
	var whole []stateRun
	add := func(column int, s fsm.State, d time.Duration) {
		if tallies[column] == nil {
			tallies[column] = &stateTally{}
		}
		tallies[column][s] += d
	}
	for i := range w.States {
		s := &w.States[i]
		from, to := p.axis.column(s.From), p.axis.column(s.To)
		if from == to {
			add(from, s.State, s.Duration())
			continue
		}
		add(from, s.State, p.time(from+1).Sub(s.From))
		add(to, s.State, s.To.Sub(p.time(to)))
		whole = append(whole, stateRun{state: s.State, from: from + 1, to: to})
	}
	var columns [plotWidth]fsm.State // Initial where there is nothing
	for _, r := range whole {
		for c := r.from; c < r.to; c++ {
			columns[c] = r.state
		}
	}
	for c, tally := range tallies {
		columns[c] = tally.most()
	}
	return p.runs(columns[:], w)
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
	// The exact times, where a run is one span; those of its columns otherwise.
	next := 0
	for i := range runs {
		r := &runs[i]
		r.begin, r.end = p.time(r.from), p.time(r.to)
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

// time is when a column begins.
func (p *picture) time(column int) time.Time {
	return p.axis.begin.Add(time.Duration(float64(column) / plotWidth * float64(p.axis.span)))
}

// most is the state that took most of the time.
func (t *stateTally) most() fsm.State {
	best, longest := fsm.Initial, time.Duration(0)
	for _, s := range drawnStates {
		if t[s] > longest {
			best, longest = s, t[s]
		}
	}
	return best
}

func (p *picture) pauses(w *WorkerTimeline, y int) {
	spans := merged(p.axis, w.Pauses, func(s Span) Span { return s }, func(Span) int { return 0 })
	for _, b := range spans {
		p.printf(`<rect class="hatch" x="%s" y="%d" width="%s" height="%d"><title>%s</title></rect>`+"\n",
			number(b.x0), y, number(b.width(pointWidth)), stateHeight, b.tip("paused", "pauses"))
	}
}

// ending draws where the worker left, or where the log falls silent about it.
func (p *picture) ending(w *WorkerTimeline, y int) {
	x := p.axis.x(w.End)
	switch {
	case w.Left != nil:
		x = p.axis.x(w.Left.Time)
		p.printf(`<rect class="gone" x="%s" y="%d" width="3" height="%d"><title>%s at %s</title></rect>`+"\n",
			number(x), y-2, stateHeight+4, escape(w.end()), clock(w.Left.Time))
		if says := w.end(); w.Left.Time.Equal(w.End) && x+float64(len(says))*charWidth+12 < plotLeft+plotWidth {
			p.text(says, x+8, float64(y+16), "start", "quiet")
		}
	case w.End.Before(p.t.End):
		p.printf(`<path class="silence" d="M%s %dH%d"><title>nothing is recorded after %s</title></path>`+"\n",
			number(x), y+stateHeight/2, plotLeft+plotWidth, clock(w.End))
	}
}

func (p *picture) jobs(w *WorkerTimeline, y int) {
	kinds := []string{"job", "job rejected", "job unfinished"}
	blocks := merged(p.axis, w.Jobs, func(j JobSpan) Span { return j.Span }, func(j JobSpan) int {
		switch j.Outcome {
		case Rejected:
			return 1
		case Unfinished:
			return 2
		case Finished:
		}
		return 0
	})
	for _, b := range blocks {
		j := &w.Jobs[b.first]
		tip := b.tip(because("job "+string(j.Job)+" "+string(j.Outcome), j.Cause), "jobs, the first of them "+string(j.Job))
		p.printf(`<rect class="%s" x="%s" y="%d" width="%s" height="%d" rx="2"><title>%s</title></rect>`+"\n",
			kinds[b.kind], number(b.x0), y, number(b.width(pointWidth)), jobHeight, tip)
		if width := b.width(pointWidth); b.count == 1 && width >= labelWidth {
			p.text(cut(string(j.Job), int((width-8)/charWidth)), b.x0+4, float64(y+jobHeight-4), "start", strings.Replace(kinds[b.kind], "job", "id", 1))
		}
	}
}

// clock writes a time as precisely as the log's readers need.
func clock(t time.Time) string { return t.Format("15:04:05.0") }
