package diagram

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
)

const captionsFile = "testdata/captions.txt"

// TestCaptions compares the captions with the golden, which lists beside each the
// events that it stands for. Every edge has a caption, and every caption an edge.
func TestCaptions(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	edges := edgesOf(fsm.Rows(), Options{SelfLoops: true})
	for i := range edges {
		e := &edges[i]
		if captions[e.between] == nil {
			t.Errorf("%v to %v has no caption", e.from, e.to)
		}
		fmt.Fprintf(&text, "%v -> %v: %s\n    %s\n", e.from, e.to, strings.Join(e.caption(), " "), strings.Join(e.events(), " "))
	}
	if len(captions) != len(edges) {
		t.Errorf("%d captions for %d edges", len(captions), len(edges))
	}
	if flag.Lookup("update").Value.String() == "true" { // see golden_test.go
		if err := os.WriteFile(captionsFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(captionsFile)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("%s is stale: rewrite it with go test ./fsm/diagram -update, and read the captions of the edges that changed", captionsFile)
	}
}

// TestNewEdgesAreDrawn shows that a picture shows an edge for which there is no
// caption and no route yet.
func TestNewEdgesAreDrawn(t *testing.T) {
	t.Parallel()
	rows := append(fsm.Rows(),
		fsm.Row{From: fsm.StreamHealthy, On: fsm.PollDue, To: fsm.PollingBusy},
		fsm.Row{From: fsm.FallingBack, On: fsm.AnsweredJob, To: fsm.Reclaiming},
		fsm.Row{From: fsm.FallingBack, On: fsm.AnsweredIdle, To: fsm.Reclaiming})
	for _, c := range []struct {
		from, to fsm.State
		says     string
	}{
		{fsm.StreamHealthy, fsm.PollingBusy, "PollDue"},
		{fsm.FallingBack, fsm.Reclaiming, "AnsweredJob, AnsweredIdle"},
	} {
		edges := edgesOf(rows, Options{})
		at := slices.IndexFunc(edges, func(e edge) bool { return e.between == between{c.from, c.to} })
		if at < 0 {
			t.Errorf("%v to %v: no edge", c.from, c.to)
			continue
		}
		if got := strings.Join(edges[at].lines(Options{}), ", "); got != c.says {
			t.Errorf("%v to %v says %q, not %q", c.from, c.to, got, c.says)
		}
		if r := routeOf(edges[at].between); r.path == "" {
			t.Errorf("%v to %v has no path", c.from, c.to)
		}
	}
}

// TestMermaidLabelIsOneStatement shows that a label contains no semicolon, at
// which Mermaid would end it.
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
		dx, dy float64
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
			t.Errorf("towards %v,%v the border is at %v, not %v", c.dx, c.dy, got, c.want)
		}
	}
}

// TestDirections shows the direction of each kind of transition.
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
		{fsm.StreamHealthy, fsm.FallingBack, toPoll},
		{fsm.Reclaiming, fsm.PollingBusy, toPoll},
		{fsm.PollingBusy, fsm.Reclaiming, toStream},
		{fsm.Reclaiming, fsm.Running, toStream},
		{fsm.FallingBack, fsm.StreamHealthy, toStream},
		{fsm.Running, fsm.Stopped, leaves},
	} {
		if got := (between{c.from, c.to}).direction(); got != c.want {
			t.Errorf("%v to %v is direction %d, not %d", c.from, c.to, got, c.want)
		}
	}
}
