package diagram_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

// TestGraphvizReadsDOT runs Graphviz on the diagrams, and counts the states and
// transitions that it found. It needs the program dot; without it the test is
// skipped, or fails with SWITCHYARD_REQUIRE_GRAPHVIZ=1.
func TestGraphvizReadsDOT(t *testing.T) {
	t.Parallel()
	dot, err := exec.LookPath("dot")
	if err != nil {
		const how = "Graphviz is missing; install it with: apt-get install --no-install-recommends graphviz"
		if os.Getenv("SWITCHYARD_REQUIRE_GRAPHVIZ") == "1" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	for _, o := range []diagram.Options{
		{},
		{Highlight: fsm.Stopped, SelfLoops: true},
		{SelfLoops: true, Guards: true, Effects: true},
	} {
		t.Run(fmt.Sprintf("%+v", o), func(t *testing.T) {
			t.Parallel()
			edges := map[string]bool{}
			for _, r := range fsm.Rows() {
				if r.From != r.To || o.SelfLoops {
					edges[r.From.String()+"->"+r.To.String()] = true
				}
			}
			cmd := exec.CommandContext(t.Context(), dot, "-Tplain")
			cmd.Stdin = bytes.NewReader(draw(t, diagram.DOT, o))
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("dot: %v\n%s", err, stderr.String())
			}
			states := 0
			for l := range strings.Lines(string(out)) {
				fields := strings.Fields(l)
				switch fields[0] {
				case "node":
					states++
				case "edge":
					delete(edges, fields[1]+"->"+fields[2])
				}
			}
			if states != len(fsm.States()) {
				t.Errorf("Graphviz found %d states of %d", states, len(fsm.States()))
			}
			for e := range edges {
				t.Errorf("Graphviz did not find %s", e)
			}
		})
	}
}
