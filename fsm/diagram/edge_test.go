package diagram

import (
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
)

// TestCaptionsFitTheTable shows that every edge has words of its own that were
// written for exactly its events, and that no caption is without an edge.
func TestCaptionsFitTheTable(t *testing.T) {
	t.Parallel()
	used := map[between]bool{}
	edges := edgesOf(fsm.Rows(), Options{SelfLoops: true})
	for i := range edges {
		e := &edges[i]
		used[between{e.from, e.to}] = true
		if captionFor(e) == nil {
			t.Errorf("%v to %v: no caption for the events %v", e.from, e.to, e.events())
		}
	}
	for _, c := range captions {
		if !used[between{c.from, c.to}] {
			t.Errorf("%v to %v has a caption, and no row", c.from, c.to)
		}
	}
	if len(captions) != len(edges) {
		t.Errorf("%d captions for %d edges", len(captions), len(edges))
	}
}

// TestNewRowsAreDrawn shows that a picture hides no row that its captions and
// its layout do not know yet.
func TestNewRowsAreDrawn(t *testing.T) {
	t.Parallel()
	rows := append(fsm.Rows(),
		fsm.Row{From: fsm.StreamHealthy, On: fsm.PollDue, To: fsm.PollingBusy},
		fsm.Row{From: fsm.FallingBack, On: fsm.AnsweredJob, To: fsm.Reclaiming},
		fsm.Row{From: fsm.FallingBack, On: fsm.AnsweredIdle, To: fsm.PollingBusy})
	for _, c := range []struct {
		from, to fsm.State
		says     string
	}{
		{fsm.StreamHealthy, fsm.PollingBusy, "PollDue"},
		{fsm.FallingBack, fsm.Reclaiming, "AnsweredJob"},
		{fsm.FallingBack, fsm.PollingBusy, "PollDue, AnsweredIdle"},
	} {
		edges := edgesOf(rows, Options{})
		at := slices.IndexFunc(edges, func(e edge) bool { return e.from == c.from && e.to == c.to })
		if at < 0 {
			t.Errorf("%v to %v: no edge", c.from, c.to)
			continue
		}
		if got := strings.Join(edges[at].lines(Options{}), ", "); got != c.says {
			t.Errorf("%v to %v says %q, not %q", c.from, c.to, got, c.says)
		}
		if r := routeOf(&edges[at]); r.path == "" {
			t.Errorf("%v to %v has no path", c.from, c.to)
		}
	}
}

// TestMermaidLabelIsOneStatement keeps out what Mermaid would drop a label for.
func TestMermaidLabelIsOneStatement(t *testing.T) {
	t.Parallel()
	if got := mermaidLabel([]string{"one; two", "three"}); got != "one, two<br/>three" {
		t.Errorf("the label is %q", got)
	}
}

func TestBorder(t *testing.T) {
	t.Parallel()
	b := box{point: point{100, 100}, width: 40, height: 20}
	for _, c := range []struct {
		dx, dy int
		want   point
	}{
		{10, 0, point{120, 100}},
		{-10, 0, point{80, 100}},
		{0, 10, point{100, 110}},
		{0, -10, point{100, 90}},
		{40, 10, point{120, 105}},
		{-10, -10, point{90, 90}},
		{0, 0, point{100, 100}},
	} {
		if got := b.border(c.dx, c.dy); got != c.want {
			t.Errorf("towards %d,%d the border is at %v, not %v", c.dx, c.dy, got, c.want)
		}
	}
}

// TestDirections shows which way each transition between the owners goes.
func TestDirections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to fsm.State
		want     direction
	}{
		{fsm.Initial, fsm.StreamHealthy, begins},
		{fsm.StreamHealthy, fsm.StreamHealthy, stays},
		{fsm.StreamHealthy, fsm.Running, works},
		{fsm.FallingBack, fsm.PollingBusy, works},
		{fsm.StreamHealthy, fsm.FallingBack, goesDown},
		{fsm.Reclaiming, fsm.PollingBusy, goesDown},
		{fsm.PollingBusy, fsm.Reclaiming, goesHome},
		{fsm.Reclaiming, fsm.Running, goesHome},
		{fsm.FallingBack, fsm.StreamHealthy, goesHome},
		{fsm.Running, fsm.Stopped, leaves},
	} {
		if got := (&edge{from: c.from, to: c.to}).direction(); got != c.want {
			t.Errorf("%v to %v is direction %d, not %d", c.from, c.to, got, c.want)
		}
	}
}
