package diagram

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

const (
	legendTop     = pictureHeight + 8
	legendColumns = 2
	legendMargin  = 24
	legendRow     = 15
	legendGap     = 10
)

// legend lists the rows of all edges, by the numbers of the arrows.
type legend struct {
	height  int
	entries []legendEntry
}

type legendEntry struct {
	at    point
	class string
	title string
	lines []string
}

// layOutLegend fills the columns from the left, each with about the same height,
// and keeps the rows of an edge together.
func layOutLegend(edges []edge, o Options) legend {
	var l legend
	total := 0
	for i := range edges {
		e := &edges[i]
		l.entries = append(l.entries, legendEntry{
			class: e.direction().class(),
			title: fmt.Sprintf("(%d) %s → %s", i+1, stateName(e.from), stateName(e.to)),
			lines: e.lines(o),
		})
		total += l.entries[i].height()
	}
	x, y, deepest := legendMargin, legendTop, 0
	for i := range l.entries {
		entry := &l.entries[i]
		entry.at = point{float64(x), float64(y)}
		y += entry.height()
		deepest = max(deepest, y)
		if y-legendTop >= total/legendColumns {
			x, y = x+(pictureWidth-legendMargin)/legendColumns, legendTop
		}
	}
	l.height = deepest - legendTop + legendMargin
	return l
}

func stateName(s fsm.State) string {
	if s == fsm.Initial {
		return "start"
	}
	return s.String()
}

func (e *legendEntry) height() int { return (1+len(e.lines))*legendRow + legendGap }

func (d *drawing) writeLegend() {
	for _, e := range d.legend.entries {
		d.Text("edgename "+e.class, e.at.x, e.at.y+legendRow, svg.Start, e.title)
		for i, l := range e.lines {
			const indent = 14
			d.Text("row", e.at.x+indent, e.at.y+float64((2+i)*legendRow), svg.Start, l)
		}
	}
}
