package diagram

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// The layout, in units of the SVG, about a pixel each at the width of a page.
// It is a ring with the stream above and the poller below: on the left the way
// down, at the bottom the poller's round, on the right the way home. No two
// arrows cross. Leaving is the same for all states of a frame, and so one arrow
// from the frame.
const (
	pictureWidth  = 1000
	pictureHeight = 752

	framePadding = 16
	finalGap     = 4
	nameRise     = 3
	hintDrop     = 17

	lineHeight   = 16
	lineBaseline = 12
	platePadding = 6
	// A character of a label is up to 6.8 wide, by the reader's font.
	charWidth, charUnit = 68, 10

	keyY         = 726
	keyTextShift = 42
	keyTextDrop  = 4

	middle = "middle"
	start  = "start"
)

type point struct{ x, y int }

type box struct {
	point // the middle

	width, height int
	class         string
}

var boxes = map[fsm.State]box{
	fsm.Running:       {point{430, 102}, 200, 62, "stream"},
	fsm.StreamHealthy: {point{430, 244}, 200, 62, "stream"},
	fsm.FallingBack:   {point{165, 470}, 200, 62, "poller"},
	fsm.PollingBusy:   {point{430, 610}, 200, 62, "poller"},
	fsm.Reclaiming:    {point{695, 470}, 210, 62, "returning"},
	fsm.Stopped:       {point{917, 346}, 124, 54, "stopped"},
}

var (
	headingDown = point{24, 28}
	headingHome = point{836, 28}
)

// route is the way of one arrow: its path, and where its label is.
type route struct {
	path   string
	label  point
	anchor string
	start  point // of an arrow that begins nowhere
}

type between struct{ from, to fsm.State }

var routes = map[between]route{
	{fsm.Running, fsm.StreamHealthy}: {"M362 133V211", point{352, 172}, middle, point{}},
	{fsm.StreamHealthy, fsm.Running}: {"M500 213V135", point{504, 172}, middle, point{}},

	{fsm.Running, fsm.FallingBack}:       {"M330 88C150 88 95 200 95 437", point{96, 340}, middle, point{}},
	{fsm.FallingBack, fsm.Running}:       {"M165 439C165 230 220 116 328 116", point{192, 232}, middle, point{}},
	{fsm.StreamHealthy, fsm.FallingBack}: {"M330 244C270 244 240 320 240 437", point{268, 346}, middle, point{}},
	{fsm.FallingBack, fsm.StreamHealthy}: {"M265 460C330 450 395 390 395 277", point{358, 414}, middle, point{}},

	{fsm.FallingBack, fsm.PollingBusy}: {"M180 501C180 585 230 622 328 622", point{200, 588}, middle, point{}},
	{fsm.PollingBusy, fsm.FallingBack}: {"M330 598C280 598 235 560 230 503", point{334, 546}, middle, point{}},
	{fsm.PollingBusy, fsm.Reclaiming}:  {"M530 598C580 598 625 560 630 503", point{558, 546}, middle, point{}},
	{fsm.Reclaiming, fsm.PollingBusy}:  {"M680 501C680 585 630 622 532 622", point{650, 590}, middle, point{}},

	{fsm.Reclaiming, fsm.StreamHealthy}: {"M590 460C530 450 465 390 465 277", point{526, 404}, middle, point{}},
	{fsm.Reclaiming, fsm.Running}:       {"M765 439C765 200 710 88 532 88", point{728, 200}, middle, point{}},

	{fsm.Initial, fsm.StreamHealthy}: {"M592 230H532", point{608, 230}, start, point{592, 230}},
	{fsm.Initial, fsm.FallingBack}:   {"M36 470H63", point{30, 512}, start, point{36, 470}},
	{fsm.Initial, fsm.PollingBusy}:   {"M370 676V643", point{384, 676}, start, point{370, 676}},

	{fsm.Running, fsm.Running}:             {"M490 71C482 40 520 40 512 69", point{530, 62}, start, point{}},
	{fsm.StreamHealthy, fsm.StreamHealthy}: {"M530 248C572 240 572 276 532 268", point{574, 262}, start, point{}},
	{fsm.FallingBack, fsm.FallingBack}:     {"M265 474C307 466 307 502 267 494", point{308, 488}, start, point{}},
	{fsm.PollingBusy, fsm.PollingBusy}:     {"M500 641C492 682 528 682 520 643", point{540, 664}, start, point{}},
	{fsm.Reclaiming, fsm.Reclaiming}:       {"M770 501C762 542 798 542 790 503", point{832, 552}, "end", point{}},
}

// routeOf returns the edge's route, or a straight one where the layout knows
// none.
func routeOf(e *edge) route {
	if r, ok := routes[between{e.from, e.to}]; ok {
		return r
	}
	from, to := boxes[e.from], boxes[e.to]
	dx, dy := to.x-from.x, to.y-from.y
	a, b := from.border(dx, dy), to.border(-dx, -dy)
	const half = 2
	return route{
		path:   fmt.Sprintf("M%d %dL%d %d", a.x, a.y, b.x, b.y),
		label:  point{(a.x + b.x) / half, (a.y + b.y) / half},
		anchor: middle,
		start:  a,
	}
}

// border returns where a straight line from the middle of the box, in the
// direction dx, dy, leaves it.
func (b box) border(dx, dy int) point {
	const half = 2
	w, h := b.width/half, b.height/half
	if abs(dx)*h > abs(dy)*w { // through a side
		return point{b.x + sign(dx)*w, b.y + dy*w/abs(dx)}
	}
	if dy == 0 {
		return b.point
	}
	return point{b.x + dx*h/abs(dy), b.y + sign(dy)*h}
}

func abs(n int) int { return max(n, -n) }

func sign(n int) int {
	if n < 0 {
		return -1
	}
	return 1
}

// frame holds the states with one owner.
type frame struct {
	class, title        string
	x, y, width, height int
	titleY              int
	states              []fsm.State
	leave               route
	leaves              []string
}

var frames = []frame{
	{
		class: "stream", title: "The stream is in control", x: 20, y: 44, width: 820, height: 256, titleY: 68,
		states: []fsm.State{fsm.StreamHealthy, fsm.Running},
		leave:  route{path: "M840 226C895 226 917 255 917 312", label: point{918, 168}, anchor: middle},
		leaves: line("told to leave,", "or time is up;", "a job in hand", "is finished first"),
	},
	{
		class: "poller", title: "The poller is in control", x: 20, y: 396, width: 820, height: 300, titleY: 682,
		states: []fsm.State{fsm.FallingBack, fsm.PollingBusy, fsm.Reclaiming},
		leave:  route{path: "M840 466C895 466 917 437 917 380", label: point{918, 524}, anchor: middle},
		leaves: line("told to leave,", "time is up, or", "ping refused;", "a job in hand", "is finished first"),
	},
}

// frameLeaves returns the frame whose one arrow stands for this edge: an edge
// that leaves, from a frame of which every state has one.
func frameLeaves(e *edge, edges []edge) *frame {
	if e.direction() != leaves {
		return nil
	}
	for i := range frames {
		f := &frames[i]
		has, all := false, true
		for _, s := range f.states {
			has = has || s == e.from
			all = all && anyLeaves(s, edges)
		}
		if has && all {
			return f
		}
	}
	return nil
}

func anyLeaves(s fsm.State, edges []edge) bool {
	for i := range edges {
		if e := &edges[i]; e.from == s && e.direction() == leaves {
			return true
		}
	}
	return false
}

// keys explain the colours under the picture.
var keys = []struct {
	way  direction
	x    int
	says string
}{
	{goesDown, 24, "down: nearer to polling"},
	{goesHome, 250, "home: nearer to the stream"},
	{works, 490, "control stays where it is"},
	{leaves, 720, "leaves, from any state of the frame"},
}
