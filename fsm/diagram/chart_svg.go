package diagram

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// The grid of a chart. Its arrows are numbered, and a legend below lists what they
// stand for.
const (
	gridLeft, gridTop       = 130, 70
	gridColumn, gridLine    = 245, 170
	gridWidth, gridHeight   = 150, 56
	gridMargin              = 90
	startDistance, startDot = 100, 6

	// bend is how far an arrow bends to its right, as a part of its length, so that
	// the two arrows between two states do not cover each other.
	bend = 0.16
)

// drawSVG draws the states in their places, and the legend.
func (c *Chart) drawSVG(o Options) []byte {
	edges := c.edges(o)
	columns, lines := 0, 0
	for _, s := range c.States {
		columns, lines = max(columns, s.Column), max(lines, s.Line)
	}
	width := max(gridLeft+columns*gridColumn+gridWidth/2+gridMargin, pictureWidth)
	top := gridTop + lines*gridLine + gridHeight + gridMargin/2
	entries, height := c.legend(edges, width, top)
	p := svg.New(svg.Head{
		Width: width, Height: height, Style: stylesheet, Defs: arrowheads(),
		Title: c.Title, Description: chartDescription(edges),
	})
	for i := range edges {
		c.drawEdge(p, &edges[i], i+1)
	}
	for i := range c.States {
		c.States[i].draw(p, c.States[i].Name == c.Current)
	}
	for _, e := range entries {
		p.Text("edgename "+e.class, e.at.x, e.at.y+legendRow, svg.Start, e.title)
		for i, l := range e.lines {
			const indent = 14
			p.Text("row", e.at.x+indent, e.at.y+float64((2+i)*legendRow), svg.Start, l)
		}
	}
	return p.Finish()
}

// legend lays out the entries of the edges in columns, and returns the height of the
// picture with them.
func (c *Chart) legend(edges []chartEdge, width, top int) (entries []legendEntry, height int) {
	const columns = 3
	total := 0
	for i := range edges {
		e := &edges[i]
		from := e.from
		if from == "" {
			from = "start"
		}
		entries = append(entries, legendEntry{class: c.way(e).class(), title: fmt.Sprintf("(%d) %s → %s", i+1, from, e.to), lines: e.lines})
		total += entries[i].height()
	}
	x, y, deepest := legendMargin, top, top
	for i := range entries {
		entries[i].at = point{float64(x), float64(y)}
		y += entries[i].height()
		deepest = max(deepest, y)
		if y-top >= total/columns {
			x, y = x+(width-legendMargin)/columns, top
		}
	}
	return entries, deepest + legendMargin
}

// way returns the direction whose look the arrow has.
func (c *Chart) way(e *chartEdge) direction {
	switch to := c.state(e.to); {
	case to.Kind == ChartEnded:
		return leaves
	case e.from == "" || to.Kind > c.state(e.from).Kind:
		return toStream
	case to.Kind < c.state(e.from).Kind:
		return toPoll
	}
	return works
}

func (s *ChartState) box() box {
	at := point{float64(gridLeft + s.Column*gridColumn), float64(gridTop + s.Line*gridLine)}
	return box{at, gridWidth, gridHeight}
}

// drawEdge draws a numbered arrow.
func (c *Chart) drawEdge(p *svg.Picture, e *chartEdge, number int) {
	way := c.way(e)
	to := c.state(e.to).box()
	p.Group("edge "+way.class(), e.tooltip())
	defer p.EndGroup()
	var label point
	switch e.from {
	case "":
		start := point{to.x, to.y - gridHeight/2 - startDistance/3}
		p.Circle("dot", start.x, start.y, startDot)
		p.Arrow("line", fmt.Sprintf("M%vL%v", start, point{to.x, to.y - gridHeight/2 - 2}), way.arrowhead())
		label = point{start.x + 20, start.y + 4}
	case e.to:
		x, y := to.x+gridWidth/2-30, to.y-gridHeight/2
		p.Arrow("line", fmt.Sprintf("M%vC%v %v %v", point{x, y}, point{x - 8, y - 32}, point{x + 30, y - 32}, point{x + 22, y - 2}), way.arrowhead())
		label = point{x + 40, y - 18}
	default:
		from := c.state(e.from).box()
		dx, dy := to.x-from.x, to.y-from.y
		middle := point{(from.x+to.x)/2 - dy*bend, (from.y+to.y)/2 + dx*bend}
		start := from.border(middle.x-from.x, middle.y-from.y)
		end := to.border(middle.x-to.x, middle.y-to.y)
		p.Arrow("line", fmt.Sprintf("M%vQ%v %v", start, middle, end), way.arrowhead())
		label = point{(start.x + 2*middle.x + end.x) / 4, (start.y+2*middle.y+end.y)/4 + lineHeight/4}
	}
	text := "(" + strconv.Itoa(number) + ")"
	width := float64(len(text)*charWidth/charUnit) + platePadding
	p.Rect("plate", svg.Box{X: math.Round(label.x - width/2), Y: label.y - lineBaseline, Width: width, Height: lineHeight, Radius: 6}, "")
	p.Text("label", label.x, label.y, svg.Middle, text)
}

func (e *chartEdge) tooltip() string {
	return e.from + " → " + e.to + "\n" + strings.Join(e.lines, "\n") + "\n"
}

// draw draws the state's box, with two borders if a life ends in it.
func (s *ChartState) draw(p *svg.Picture, current bool) {
	b := s.box()
	class := "state " + s.role().Class
	if current {
		class += " " + svg.Current.Class
	}
	p.Group(class, s.Name+": "+s.Meaning)
	left, top := b.x-b.width/2, b.y-b.height/2
	if s.Kind == ChartEnded {
		p.Rect("", svg.Box{X: left - finalGap, Y: top - finalGap, Width: b.width + 2*finalGap, Height: b.height + 2*finalGap, Radius: 12}, "")
	}
	p.Rect("", svg.Box{X: left, Y: top, Width: b.width, Height: b.height, Radius: 10}, "")
	p.Text("name", b.x, b.y-nameRise, svg.Middle, s.Name)
	p.Text("hint", b.x, b.y+hintDrop, svg.Middle, s.Hint)
	p.EndGroup()
}

// chartDescription is the picture in words, for readers who cannot see it.
func chartDescription(edges []chartEdge) string {
	var text strings.Builder
	for _, e := range edges {
		from := e.from
		if from == "" {
			from = "Start"
		}
		fmt.Fprintf(&text, "%s to %s: %s. ", from, e.to, strings.Join(e.lines, ", "))
	}
	return strings.TrimSpace(text.String())
}
