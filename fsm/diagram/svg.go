package diagram

import (
	"bytes"
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// writeSVG draws the states where layout.go puts them. What the rows say one by
// one has no room on the arrows: they are numbered then, and a legend below has
// the rows.
func writeSVG(page *bytes.Buffer, edges []edge, o Options) {
	d := &drawing{page: page, edges: edges, options: o}
	if o.rowByRow() {
		d.legend = layOutLegend(edges, o)
	}
	d.head()
	d.frames()
	for i := range edges {
		d.edge(i)
	}
	for i := range frames {
		d.leaving(&frames[i])
	}
	for _, s := range fsm.States() {
		d.state(s)
	}
	d.key()
	d.writeLegend()
	page.WriteString("</svg>\n")
}

type drawing struct {
	page    *bytes.Buffer
	edges   []edge
	options Options
	legend  legend
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(d.page, format, args...) }

func (d *drawing) head() {
	height := pictureHeight + d.legend.height
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="switchyard-title switchyard-desc">
<title id="switchyard-title">The states of a worker</title>
<desc id="switchyard-desc">%s</desc>
<style>
%s</style>
<defs>
`, pictureWidth, height, html.EscapeString(description(d.edges)), stylesheet)
	for _, way := range []direction{works, goesDown, goesHome, leaves} {
		d.printf(`<marker id="switchyard-%s" class="head %s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 10 5 0 9.5 2.5 5z"/></marker>
`, way.class(), way.class())
	}
	d.printf("</defs>\n<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"12\"/>\n", pictureWidth, height)
}

// description is the picture in words, for those who cannot see it.
func description(edges []edge) string {
	var text strings.Builder
	for i := range edges {
		e := &edges[i]
		fmt.Fprintf(&text, "%v to %v: %s. ", e.from, e.to, strings.Join(e.caption(), " "))
	}
	return strings.TrimSpace(text.String())
}

func (d *drawing) frames() {
	for _, f := range frames {
		d.printf(`<rect class="frame %s" x="%d" y="%d" width="%d" height="%d" rx="14"/>`+"\n",
			f.class, f.x, f.y, f.width, f.height)
		d.text(f.title, point{f.x + framePadding, f.titleY}, "start", "title "+f.class)
	}
	d.text("▼ the way down: the stream is not well", headingDown, "start", "heading down")
	d.text("the way home: the stream is back ▲", headingHome, "end", "heading home")
}

// edge draws one arrow with its label; an arrow that a frame draws for all of
// its states is left to the frame.
func (d *drawing) edge(i int) {
	e := &d.edges[i]
	if frameLeaves(e, d.edges) != nil {
		return
	}
	r := routeOf(e)
	class := e.direction().class()
	d.printf("<g class=\"edge %s%s\">%s", class, d.dimmed(e), tooltip(e))
	if e.direction() == begins {
		d.printf(`<circle class="dot" cx="%d" cy="%d" r="6"/>`, r.start.x, r.start.y)
	}
	d.printf(`<path class="line" d="%s" marker-end="url(#switchyard-%s)"/>`, r.path, e.direction().head())
	d.label(e.caption(), r.label, r.anchor, d.number(i))
	d.printf("</g>\n")
}

// leaving draws the one arrow by which every state of the frame leaves.
func (d *drawing) leaving(f *frame) {
	var numbers []string
	var tips strings.Builder
	dimmed := " dimmed"
	for i := range d.edges {
		e := &d.edges[i]
		if frameLeaves(e, d.edges) != f {
			continue
		}
		if d.dimmed(e) == "" {
			dimmed = ""
		}
		if n := d.number(i); n != "" {
			numbers = append(numbers, n)
		}
		tips.WriteString(tipText(e))
	}
	if tips.Len() == 0 {
		return
	}
	d.printf("<g class=\"edge leave%s\"><title>%s</title>", dimmed, html.EscapeString(tips.String()))
	d.printf(`<path class="line" d="%s" marker-end="url(#switchyard-leave)"/>`, f.leave.path)
	lines := f.leaves
	if len(numbers) > 0 {
		lines = append([]string{"(" + strings.Join(numbers, ", ") + ")"}, lines...)
	}
	d.label(lines, f.leave.label, f.leave.anchor, "")
	d.printf("</g>\n")
}

// dimmed is the class of what has no part in the highlighted state.
func (d *drawing) dimmed(e *edge) string {
	if h := d.options.Highlight; h == fsm.Initial || e.from == h || e.to == h {
		return ""
	}
	return " dimmed"
}

// number is the edge's number in the legend, if there is one.
func (d *drawing) number(i int) string {
	if !d.options.rowByRow() {
		return ""
	}
	return strconv.Itoa(i + 1)
}

func tooltip(e *edge) string {
	return "<title>" + html.EscapeString(tipText(e)) + "</title>"
}

func tipText(e *edge) string {
	return e.from.String() + " → " + e.to.String() + "\n" +
		strings.Join(e.lines(Options{Guards: true, Effects: true}), "\n") + "\n"
}

// label writes lines of text around a point; centred ones on a plate that
// covers the arrow beneath.
func (d *drawing) label(lines []string, at point, anchor, number string) {
	if number != "" {
		lines = append([]string{"(" + number + ") " + lines[0]}, lines[1:]...)
	}
	longest := 0
	for _, l := range lines {
		longest = max(longest, len([]rune(l)))
	}
	height := len(lines) * lineHeight
	if anchor == middle {
		width := longest*charWidth/charUnit + 2*platePadding
		d.printf(`<rect class="plate" x="%d" y="%d" width="%d" height="%d" rx="6"/>`,
			at.x-width/2, at.y-height/2-platePadding/2, width, height+platePadding)
	}
	baseline := at.y - height/2 + lineBaseline
	for i, l := range lines {
		d.text(l, point{at.x, baseline + i*lineHeight}, anchor, "label")
	}
}

func (d *drawing) text(s string, at point, anchor, class string) {
	d.printf(`<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, at.x, at.y, anchor, html.EscapeString(s))
}

// state draws a state's box. Initial has none: a dot is where a worker begins.
func (d *drawing) state(s fsm.State) {
	b, ok := boxes[s]
	if !ok {
		return
	}
	class := "state " + b.class
	if s == d.options.Highlight {
		class += " current"
	}
	d.printf("<g class=\"%s\"><title>%s: %s</title>\n", class, s, html.EscapeString(s.Meaning()))
	left, top := b.x-b.width/2, b.y-b.height/2
	if s == fsm.Stopped {
		d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="12"/>`,
			left-finalGap, top-finalGap, b.width+2*finalGap, b.height+2*finalGap)
	}
	d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="10"/>`+"\n", left, top, b.width, b.height)
	d.text(s.String(), point{b.x, b.y - nameRise}, middle, "name")
	d.text(hint(s), point{b.x, b.y + hintDrop}, middle, "hint")
	d.printf("</g>\n")
}

// key explains the colours.
func (d *drawing) key() {
	for _, k := range keys {
		d.printf(`<g class="edge %s"><path class="line" d="M%d %dh34" marker-end="url(#switchyard-%s)"/></g>`,
			k.way.class(), k.x, keyY, k.way.head())
		d.text(k.says, point{k.x + keyTextShift, keyY + keyTextDrop}, "start", "key")
	}
}
