package replay

import "time"

// steps between ticks that people count in.
var steps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 7 * day, 30 * day, 365 * day, 3650 * day,
}

const (
	day       = 24 * time.Hour
	mostTicks = 14
)

// axis maps times to the width of the plot.
type axis struct {
	begin time.Time
	span  time.Duration
	step  time.Duration
}

func newAxis(begin, end time.Time) axis {
	a := axis{begin: begin, span: max(end.Sub(begin), time.Millisecond)}
	for _, a.step = range steps {
		if a.span/a.step < mostTicks {
			break
		}
	}
	return a
}

// x is where a time is, in units of the picture from its left edge.
func (a axis) x(t time.Time) float64 {
	part := float64(t.Sub(a.begin)) / float64(a.span)
	return plotLeft + plotWidth*min(max(part, 0), 1)
}

// column is the column of the plot in which a time is, from 0 on.
func (a axis) column(t time.Time) int {
	return min(int(a.x(t)-plotLeft), plotWidth-1)
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
	for t := a.begin.Truncate(a.step); !t.After(end) && len(ticks) <= 2*mostTicks; t = t.Add(a.step) {
		if t.Before(a.begin) {
			continue
		}
		label := t.Format(format)
		// Where a day begins, the axis says which.
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

// format is how the axis writes its times.
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
