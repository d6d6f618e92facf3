package diagram

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// drawSVG draws the states where layout.go places them. Rows do not fit on the
// arrows: the arrows are numbered then, and a legend below lists the rows.
func drawSVG(edges []edge, o Options) []byte {
	d := &drawing{edges: edges, options: o}
	if o.rowByRow() {
		d.legend = layOutLegend(edges, o)
	}
	d.Picture = svg.New(svg.Head{
		Width: pictureWidth, Height: pictureHeight + d.legend.height, Style: stylesheet, Defs: arrowheads(),
		Title: "The states of a worker", Description: description(edges),
	})
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
	return d.Finish()
}

type drawing struct {
	*svg.Picture

	edges   []edge
	options Options
	legend  legend
}

// class returns the direction's name in the stylesheet.
func (d direction) class() string {
	switch d {
	case toPoll:
		return "down"
	case toStream:
		return "home"
	case leaves:
		return "leave"
	case begins, stays, works:
	}
	return "work"
}

// arrowhead returns the ID of the direction's arrowhead.
func (d direction) arrowhead() string { return "switchyard-" + d.class() }

func arrowheads() string {
	var defs strings.Builder
	for _, way := range []direction{works, toPoll, toStream, leaves} {
		fmt.Fprintf(&defs, `<marker id="%s" class="head %s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5 10 5 0 9.5 2.5 5z"/></marker>
`, way.arrowhead(), way.class())
	}
	return defs.String()
}

var commonRules = []svg.Rule{
	{Selector: ".heading", Other: "font-size:15px;font-weight:700"},
	{Selector: ".title", Other: "font-size:13px;font-weight:600"},
	{Selector: ".edgename", Other: "font-size:12.5px;font-weight:700"},
	{Selector: ".plate", Fill: svg.Paper, Other: "opacity:.92"},
	{Selector: ".line", Fill: svg.Always("none"), Stroke: svg.Quiet, Other: "stroke-width:1.8"},
	{Selector: ".leave .line", Other: "stroke-dasharray:5 4"},
	{Selector: ".head path,.dot", Fill: svg.Quiet},
	{Selector: ".state rect", Other: "stroke-width:2"},
	{Selector: ".name", Other: "font-size:17px;font-weight:700"},
	{Selector: ".hint", Other: "font-size:12.5px"},
	{Selector: ".dimmed", Other: "opacity:.3"},
	{Selector: ".key,.row", Fill: svg.Quiet, Other: "font-size:12px"},
}

// stylesheet colors states by their role, and arrows by their direction.
var stylesheet = func() string {
	rules := slices.Clone(commonRules)
	for _, way := range []struct {
		class string
		role  svg.Role
	}{{toPoll.class(), svg.Poller}, {toStream.class(), svg.Stream}} {
		c := way.class
		rules = append(rules,
			svg.Rule{Selector: ".heading." + c + ",.edgename." + c + ",." + c + " .label", Fill: way.role.Label},
			svg.Rule{Selector: "." + c + " .line", Stroke: way.role.Line, Other: "stroke-width:2.6"},
			svg.Rule{Selector: ".head." + c + " path", Fill: way.role.Line},
			svg.Rule{Selector: ".frame." + way.role.Class, Fill: way.role.Frame, Stroke: way.role.FrameLine, Other: "stroke-width:1"},
			svg.Rule{Selector: ".title." + way.role.Class, Fill: way.role.Text})
	}
	for _, r := range []svg.Role{svg.Stream, svg.Poller, svg.Returning, svg.Stopped, svg.Current} {
		rules = append(rules, svg.Rule{Selector: "." + r.Class + " rect", Fill: r.Fill, Stroke: r.Line})
	}
	rules = append(rules,
		svg.Rule{Selector: ".current rect", Other: "stroke-width:4"},
		svg.Rule{Selector: ".current .name,.current .hint", Fill: svg.Current.Text})
	return svg.Stylesheet(textSize, rules...)
}()

// description is the picture in words, for readers who cannot see it.
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
		d.Rect("frame "+f.role.Class, svg.Box{X: f.x, Y: f.y, Width: f.width, Height: f.height, Radius: 14}, "")
		d.Text("title "+f.role.Class, f.x+framePadding, f.titleY, svg.Start, f.title)
	}
	d.Text("heading down", 24, 28, svg.Start, "▼ to the poller: the stream is not healthy")
	d.Text("heading home", 836, 28, svg.End, "to the stream: it is healthy again ▲")
}

// edge draws one arrow with its label, unless the frame has one arrow for all of
// its states.
func (d *drawing) edge(i int) {
	e := &d.edges[i]
	if frameLeaves(e, d.edges) != nil {
		return
	}
	r := routeOf(e.between)
	way := e.direction()
	d.Group("edge "+way.class()+d.dimmed(e), tooltip(e))
	if way == begins {
		d.Circle("dot", r.start.x, r.start.y, 6)
	}
	d.Arrow("line", r.path, way.arrowhead())
	d.label(e.caption(), r, d.number(i))
	d.EndGroup()
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
		tips.WriteString(tooltip(e))
	}
	if tips.Len() == 0 {
		return
	}
	d.Group("edge "+leaves.class()+dimmed, tips.String())
	d.Arrow("line", f.leave.path, leaves.arrowhead())
	lines := f.leaves
	if len(numbers) > 0 {
		lines = append([]string{"(" + strings.Join(numbers, ", ") + ")"}, lines...)
	}
	d.label(lines, f.leave, "")
	d.EndGroup()
}

// dimmed returns the class of an arrow that does not touch the highlighted state.
func (d *drawing) dimmed(e *edge) string {
	if h := d.options.Highlight; h == fsm.Initial || e.from == h || e.to == h {
		return ""
	}
	return " dimmed"
}

// number returns the edge's number in the legend, or "" if there is none.
func (d *drawing) number(i int) string {
	if !d.options.rowByRow() {
		return ""
	}
	return strconv.Itoa(i + 1)
}

func tooltip(e *edge) string {
	return e.from.String() + " → " + e.to.String() + "\n" +
		strings.Join(e.lines(Options{Guards: true, Effects: true}), "\n") + "\n"
}

// label writes the lines of an arrow's label; centered ones on a plate that covers
// the arrow beneath.
func (d *drawing) label(lines []string, r route, number string) {
	if number != "" {
		lines = append([]string{"(" + number + ") " + lines[0]}, lines[1:]...)
	}
	longest := 0
	for _, l := range lines {
		longest = max(longest, len([]rune(l)))
	}
	at, height := r.label, float64(len(lines)*lineHeight)
	if r.anchor == svg.Middle {
		width := float64(longest*charWidth/charUnit) + 2*platePadding
		d.Rect("plate", svg.Box{
			X: float64(int(at.x - width/2)), Y: at.y - height/2 - platePadding/2, Width: width, Height: height + platePadding, Radius: 6,
		}, "")
	}
	for i, l := range lines {
		d.Text("label", at.x, at.y-height/2+lineBaseline+float64(i*lineHeight), r.anchor, l)
	}
}

// state draws a state's box. Initial has none.
func (d *drawing) state(s fsm.State) {
	b, ok := boxes[s]
	if !ok {
		return
	}
	class := "state " + RoleOf(s).Class
	if s == d.options.Highlight {
		class += " " + svg.Current.Class
	}
	d.Group(class, s.String()+": "+s.Meaning())
	left, top := b.x-b.width/2, b.y-b.height/2
	if s == fsm.Stopped {
		d.Rect("", svg.Box{X: left - finalGap, Y: top - finalGap, Width: b.width + 2*finalGap, Height: b.height + 2*finalGap, Radius: 12}, "")
	}
	d.Rect("", svg.Box{X: left, Y: top, Width: b.width, Height: b.height, Radius: 10}, "")
	d.Text("name", b.x, b.y-nameRise, svg.Middle, s.String())
	d.Text("hint", b.x, b.y+hintDrop, svg.Middle, s.Hint())
	d.EndGroup()
}

// key explains the colors.
func (d *drawing) key() {
	for _, k := range keys {
		d.Group("edge "+k.way.class(), "")
		d.Arrow("line", fmt.Sprintf("M%v %dh34", k.x, keyY), k.way.arrowhead())
		d.EndGroup()
		d.Text("key", k.x+42, keyY+4, svg.Start, k.text)
	}
}
