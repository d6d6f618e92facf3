package diagram

import (
	"math"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram/svg"
)

// The layout, in units of the SVG, about a pixel each at the width of a page.
// It is a ring, with the stream above and the poller below: on the left the
// transitions to the poller, at the bottom the poller's cycle, on the right those
// back to the stream. No two arrows cross. All states of a frame leave alike, so
// one arrow from the frame stands for all.
const (
	pictureWidth  = 1000
	pictureHeight = 752

	textSize     = 13
	framePadding = 16
	finalGap     = 4
	nameRise     = 3
	hintDrop     = 17

	lineHeight   = 16
	lineBaseline = 12
	platePadding = 6
	// A character of a label is up to 6.8 wide, depending on the font.
	charWidth, charUnit = 68, 10

	keyY = 726
)

type point struct{ x, y float64 }

func (p point) String() string { return svg.Number(p.x) + " " + svg.Number(p.y) }

type box struct {
	point // the middle

	width, height float64
}

var boxes = map[fsm.State]box{
	fsm.Running:       {point{430, 102}, 200, 62},
	fsm.StreamHealthy: {point{430, 244}, 200, 62},
	fsm.FallingBack:   {point{165, 470}, 200, 62},
	fsm.PollingBusy:   {point{430, 610}, 200, 62},
	fsm.Reclaiming:    {point{695, 470}, 210, 62},
	fsm.Stopped:       {point{917, 346}, 124, 54},
}

// route is the course of one arrow: its path, and the place of its label.
type route struct {
	path   string
	label  point
	anchor string
	start  point // of an arrow that begins without a box
}

var routes = map[between]route{
	{fsm.Running, fsm.StreamHealthy}: {"M362 133V211", point{352, 172}, svg.Middle, point{}},
	{fsm.StreamHealthy, fsm.Running}: {"M500 213V135", point{504, 172}, svg.Middle, point{}},

	{fsm.Running, fsm.FallingBack}:       {"M330 88C150 88 95 200 95 437", point{96, 340}, svg.Middle, point{}},
	{fsm.FallingBack, fsm.Running}:       {"M165 439C165 230 220 116 328 116", point{192, 232}, svg.Middle, point{}},
	{fsm.StreamHealthy, fsm.FallingBack}: {"M330 244C270 244 240 320 240 437", point{268, 346}, svg.Middle, point{}},
	{fsm.FallingBack, fsm.StreamHealthy}: {"M265 460C330 450 395 390 395 277", point{358, 414}, svg.Middle, point{}},

	{fsm.FallingBack, fsm.PollingBusy}: {"M180 501C180 585 230 622 328 622", point{200, 588}, svg.Middle, point{}},
	{fsm.PollingBusy, fsm.FallingBack}: {"M330 598C280 598 235 560 230 503", point{334, 546}, svg.Middle, point{}},
	{fsm.PollingBusy, fsm.Reclaiming}:  {"M530 598C580 598 625 560 630 503", point{558, 546}, svg.Middle, point{}},
	{fsm.Reclaiming, fsm.PollingBusy}:  {"M680 501C680 585 630 622 532 622", point{650, 590}, svg.Middle, point{}},

	{fsm.Reclaiming, fsm.StreamHealthy}: {"M590 460C530 450 465 390 465 277", point{526, 404}, svg.Middle, point{}},
	{fsm.Reclaiming, fsm.Running}:       {"M765 439C765 200 710 88 532 88", point{728, 200}, svg.Middle, point{}},

	{fsm.Initial, fsm.StreamHealthy}: {"M592 230H532", point{608, 230}, svg.Start, point{592, 230}},
	{fsm.Initial, fsm.FallingBack}:   {"M36 470H63", point{30, 512}, svg.Start, point{36, 470}},
	{fsm.Initial, fsm.PollingBusy}:   {"M370 676V643", point{384, 676}, svg.Start, point{370, 676}},

	{fsm.Running, fsm.Running}:             {"M490 71C482 40 520 40 512 69", point{530, 62}, svg.Start, point{}},
	{fsm.StreamHealthy, fsm.StreamHealthy}: {"M530 248C572 240 572 276 532 268", point{574, 262}, svg.Start, point{}},
	{fsm.FallingBack, fsm.FallingBack}:     {"M265 474C307 466 307 502 267 494", point{308, 488}, svg.Start, point{}},
	{fsm.PollingBusy, fsm.PollingBusy}:     {"M500 641C492 682 528 682 520 643", point{540, 664}, svg.Start, point{}},
	{fsm.Reclaiming, fsm.Reclaiming}:       {"M770 501C762 542 798 542 790 503", point{832, 552}, svg.End, point{}},
}

// routeOf returns the route between two states, or a straight one where the
// layout has none.
func routeOf(b between) route {
	if r, ok := routes[b]; ok {
		return r
	}
	from, to := boxes[b.from], boxes[b.to]
	dx, dy := to.x-from.x, to.y-from.y
	start, end := from.border(dx, dy), to.border(-dx, -dy)
	return route{
		path:   "M" + start.String() + "L" + end.String(),
		label:  point{(start.x + end.x) / 2, (start.y + end.y) / 2},
		anchor: svg.Middle,
		start:  start,
	}
}

// border returns where a straight line from the middle of the box, in the
// direction dx, dy, leaves it.
func (b box) border(dx, dy float64) point {
	if dx == 0 && dy == 0 {
		return b.point
	}
	part := min(b.width/2/math.Abs(dx), b.height/2/math.Abs(dy))
	return point{b.x + dx*part, b.y + dy*part}
}

// frame surrounds the states of one owner.
type frame struct {
	owner               fsm.Owner
	role                svg.Role
	title               string
	x, y, width, height float64
	titleY              float64
	leave               route // of the one arrow by which all states leave
	leaves              []string
}

var frames = []frame{
	{
		owner: fsm.OwnerStream, role: svg.Stream, title: "The stream is in control", x: 20, y: 44, width: 820, height: 256, titleY: 68,
		leave:  route{path: "M840 226C895 226 917 255 917 312", label: point{918, 168}, anchor: svg.Middle},
		leaves: []string{"asked to leave,", "or time is up;", "a job in hand", "is finished first"},
	},
	{
		owner: fsm.OwnerPoller, role: svg.Poller, title: "The poller is in control", x: 20, y: 396, width: 820, height: 300, titleY: 682,
		leave:  route{path: "M840 466C895 466 917 437 917 380", label: point{918, 524}, anchor: svg.Middle},
		leaves: []string{"asked to leave,", "time is up, or", "ping refused;", "a job in hand", "is finished first"},
	},
}

// frameLeaves returns the frame whose one arrow stands for this edge, or nil: an
// edge that leaves, from a frame of which every state can leave.
func frameLeaves(e *edge, edges []edge) *frame {
	if e.direction() != leaves {
		return nil
	}
	for _, s := range fsm.States() {
		leavesToo := func(other edge) bool { return other.from == s && other.direction() == leaves }
		if s.Owner() == e.from.Owner() && !slices.ContainsFunc(edges, leavesToo) {
			return nil
		}
	}
	for i := range frames {
		if frames[i].owner == e.from.Owner() {
			return &frames[i]
		}
	}
	return nil
}

// keys explain the colors under the picture.
var keys = []struct {
	way  direction
	x    float64
	text string
}{
	{toPoll, 24, "down: towards polling"},
	{toStream, 250, "up: back to the stream"},
	{works, 490, "the owner stays the same"},
	{leaves, 720, "leaves, from any state of the frame"},
}
