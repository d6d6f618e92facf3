package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// slot is how wide a place of a lane is: what begins in the same one is drawn
// as one.
const slot = 4

// block is what is drawn of one thing, or of several that fall on the same
// place.
type block struct {
	x0, x1     float64
	begin, end time.Time
	kind       int // the greatest of those in it
	first      int // the index of the first one of that kind
	count      int
}

func (b *block) width(least float64) float64 { return max(b.x1-b.x0, least) }

// tip says what one thing is, or how many things there are.
func (b *block) tip(one, many string) string {
	times := clock(b.begin)
	if d := b.end.Sub(b.begin); d > 0 {
		times += fmt.Sprintf(" to %s (%s)", clock(b.end), short(d))
	}
	if b.count > 1 {
		one = fmt.Sprintf("%d %s", b.count, many)
	}
	return escape(cut(one, longestTip) + ", " + times)
}

// merged lays things out on a lane. Things are in the order of time. Narrow ones
// that begin in the same slot become one block.
func merged[T any](a axis, things []T, span func(T) Span, kind func(T) int) []block {
	var blocks []block
	for i, thing := range things {
		s, k := span(thing), kind(thing)
		b := block{x0: a.x(s.From), x1: a.x(s.To), begin: s.From, end: s.To, kind: k, first: i, count: 1}
		n := len(blocks)
		if n == 0 || int(blocks[n-1].x0)/slot != int(b.x0)/slot || b.x1-b.x0 >= slot {
			blocks = append(blocks, b)
			continue
		}
		last := &blocks[n-1]
		last.x1, last.end = max(last.x1, b.x1), b.end
		last.count++
		if k > last.kind {
			last.kind, last.first = k, i
		}
	}
	return blocks
}

// pings draws pings as ticks, or as bars where they take long. A row of ticks of
// the same kind is one element, which keeps the picture of a long night small.
func (p *picture) pings(w *WorkerTimeline, y int) {
	kinds := []string{"ping", "ping job", "ping failed"}
	blocks := merged(p.axis, w.Pings, func(s PingSpan) Span { return s.Span }, func(s PingSpan) int {
		switch {
		case s.Answer.Failed():
			return 2
		case s.Answer == AnswerJob:
			return 1
		}
		return 0
	})
	for i := 0; i < len(blocks); {
		row := blocks[i] // grows to the whole row
		var path strings.Builder
		from := i
		for ; i < len(blocks) && blocks[i].kind == row.kind && (i == from || blocks[i].x0-blocks[i-1].x0 < 2*slot); i++ {
			b := &blocks[i]
			width := number(b.width(2))
			fmt.Fprintf(&path, "M%s %dh%sv%dh-%sz", number(b.x0), y, width, pingHeight, width)
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
		p.printf(`<path class="%s" d="%s"><title>%s</title></path>`+"\n",
			kinds[row.kind], path.String(), row.tip(because("ping "+string(s.Answer), s.Cause), many))
	}
}

// stream draws the times in which the stream was down, and over them its losses
// and ends.
func (p *picture) stream(w *WorkerTimeline, y int) {
	for _, b := range merged(p.axis, w.Outages, func(s Span) Span { return s }, func(Span) int { return 0 }) {
		p.printf(`<rect class="down" x="%s" y="%d" width="%s" height="5"><title>%s</title></rect>`+"\n",
			number(b.x0), y+3, number(b.width(1)), b.tip("stream down", "outages"))
	}
	// A triangle is about two slots wide: what is nearer is drawn as one.
	blocks := merged(p.axis, w.Marks, func(m StreamMark) Span { return Span{m.Time, m.Time} }, func(m StreamMark) int {
		switch {
		case m.Kind == fsm.StreamEnded:
			return 0
		case m.Again:
			return 1
		}
		return 2
	})
	for _, b := range blocks {
		m := &w.Marks[b.first]
		tip := b.tip(because(markText(*m), m.Cause), because("times, such as "+markText(*m), m.Cause))
		x := p.axis.x(m.Time)
		switch b.kind {
		case 0:
			p.printf(`<path class="planned" d="%s"><title>%s</title></path>`+"\n", triangle(x, y), tip)
		case 1:
			p.printf(`<path class="loss" d="%s"><title>%s</title></path>`+"\n", smallTriangle(x, y+2), tip)
		default:
			p.printf(`<path class="loss" d="%s"><title>%s</title></path>`+"\n", triangle(x, y), tip)
		}
	}
}

// triangle points down, to the moment.
func triangle(x float64, y int) string { return fmt.Sprintf("M%s %dh12l-6 11z", number(x-6), y) }

func smallTriangle(x float64, y int) string { return fmt.Sprintf("M%s %dh6l-3 6z", number(x-3), y) }
