package replay

import "github.com/switchyard-ci/switchyard/fsm"

// legend says what the colours and signs mean.
func (p *picture) legend() {
	x, y := float64(margin), legendTop
	entry := func(sign func(x float64, y int), says string) {
		sign(x, y)
		p.text(says, x+26, y+11, "start", "")
		x += 26 + float64(len([]rune(says)))*charWidth + 18
	}
	rect := func(class string) func(float64, int) {
		return func(x float64, y int) {
			p.printf(`<rect class="%s" x="%s" y="%d" width="20" height="14"/>`, class, number(x), y)
		}
	}
	for _, s := range drawnStates {
		entry(rect("s "+s.String()), stateLegend[s])
	}
	x, y = margin, legendTop+legendRow
	entry(rect("hatch"), "paused")
	entry(rect("job"), "job")
	entry(rect("job rejected"), "job rejected")
	entry(rect("job unfinished"), "job, end not recorded")
	bar := func(class string) func(float64, int) {
		return func(x float64, y int) {
			p.printf(`<rect class="%s" x="%s" y="%d" width="3" height="11"/>`, class, number(x+9), y+1)
		}
	}
	entry(bar("ping"), "ping")
	entry(bar("ping job"), "ping that named a job")
	entry(bar("ping failed"), "ping failed (its width is how long it took)")
	x, y = margin, legendTop+2*legendRow
	path := func(class, shape string) { p.printf(`<path class="%s" d="%s"/>`, class, shape) }
	entry(func(x float64, y int) { path("loss", triangle(x+10, y+1)) }, "stream lost")
	entry(func(x float64, y int) { path("loss", smallTriangle(x+10, y+4)) }, "failed to reopen")
	entry(func(x float64, y int) { path("planned", triangle(x+10, y+1)) }, "planned end of the stream")
	entry(func(x float64, y int) {
		p.printf(`<rect class="down" x="%s" y="%d" width="20" height="5"/>`, number(x), y+4)
	}, "stream down")
	entry(func(x float64, y int) {
		p.printf(`<rect class="gone" x="%s" y="%d" width="3" height="14"/>`, number(x+9), y)
	}, "the worker left")
	entry(func(x float64, y int) { path("silence", "M"+number(x)+" "+number(float64(y+7))+"h20") }, "nothing recorded any more")
	p.printf("\n")
}

var stateLegend = map[fsm.State]string{
	fsm.StreamHealthy: "StreamHealthy: no work",
	fsm.Running:       "Running: a job",
	fsm.FallingBack:   "FallingBack: between pings",
	fsm.PollingBusy:   "PollingBusy: ping or job",
	fsm.Reclaiming:    "Reclaiming: stream waits to take over",
	fsm.Stopped:       "Stopped",
}
