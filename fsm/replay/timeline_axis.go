package replay

import (
	"fmt"
	"time"
)

// steps are the distances between ticks.
var steps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 30 * day, 365 * day, 3650 * day,
}

const (
	day      = 24 * time.Hour
	maxTicks = 14
)

// axis maps times to the width of the plot, in units of the picture. A column is
// one unit wide.
type axis struct {
	begin time.Time
	span  time.Duration
	step  time.Duration
}

func newAxis(t *Timeline) axis {
	a := axis{span: max(t.length(), time.Millisecond)}
	if t.Begin != nil {
		a.begin = *t.Begin
	}
	for _, a.step = range steps {
		if a.span/a.step < maxTicks {
			break
		}
	}
	return a
}

// x returns the place of a time, from the left edge of the picture.
func (a axis) x(t time.Time) float64 {
	part := float64(t.Sub(a.begin)) / float64(a.span)
	return plotLeft + plotWidth*min(max(part, 0), 1)
}

// column returns the column of the plot of a time, from 0 on.
func (a axis) column(t time.Time) int {
	return min(int(a.x(t)-plotLeft), plotWidth-1)
}

// time returns the beginning of a column.
func (a axis) time(column int) time.Time {
	return a.begin.Add(time.Duration(float64(column) / plotWidth * float64(a.span)))
}

// tick is a line of the axis.
type tick struct {
	x     float64
	label string
}

func (a axis) ticks() []tick {
	var ticks []tick
	end := a.begin.Add(a.span)
	format := a.format()
	date := ""
	for t := a.begin.Truncate(a.step); !t.After(end) && len(ticks) <= 2*maxTicks; t = t.Add(a.step) {
		if t.Before(a.begin) {
			continue
		}
		label := t.Format(format)
		// The first tick of a day has its date.
		if d := t.Format("Jan 2"); a.step < day {
			if date != "" && d != date {
				label = d + ", " + label
			}
			date = d
		}
		ticks = append(ticks, tick{a.x(t), label})
	}
	return ticks
}

// format returns the layout of the axis' times.
func (a axis) format() string {
	switch {
	case a.step < time.Second:
		return "15:04:05.000"
	case a.step < time.Minute:
		return "15:04:05"
	case a.step < day:
		return "15:04"
	}
	return "2006-01-02"
}

// slotWidth is the width of a place of a lane: what begins in the same one is
// drawn as one block.
const slotWidth = 4

// block is what is drawn for one thing, or for several in the same place.
type block struct {
	x0, x1     float64
	begin, end time.Time
	kind       int // the greatest of those in it
	first      int // the index of the first one of that kind
	count      int
}

func (b *block) width(least float64) float64 { return max(b.x1-b.x0, least) }

// tip returns a tooltip: what the one thing is, or how many things there are.
func (b *block) tip(one, many string) string {
	times := clock(b.begin)
	if d := b.end.Sub(b.begin); d > 0 {
		times += fmt.Sprintf(" to %s (%s)", clock(b.end), short(d))
	}
	if b.count > 1 {
		one = fmt.Sprintf("%d %s", b.count, many)
	}
	return cut(one, maxTip) + ", " + times
}

// merged lays things out on a lane, in the order of time. Narrow ones that begin
// in the same slot become one block.
func merged[T any](a axis, things []T, span func(*T) Span, kind func(*T) int) []block {
	var blocks []block
	for i := range things {
		s, k := span(&things[i]), kind(&things[i])
		b := block{x0: a.x(s.From), x1: a.x(s.To), begin: s.From, end: s.To, kind: k, first: i, count: 1}
		n := len(blocks)
		if n == 0 || int(blocks[n-1].x0)/slotWidth != int(b.x0)/slotWidth || b.x1-b.x0 >= slotWidth {
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

// mergedSpans lays out spans of one kind.
func mergedSpans(a axis, spans []Span) []block {
	return merged(a, spans, func(s *Span) Span { return *s }, func(*Span) int { return 0 })
}

// clock returns the time of day to a tenth of a second.
func clock(t time.Time) string { return t.Format("15:04:05.0") }
