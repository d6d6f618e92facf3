package diagram_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

var update = flag.Bool("update", false, "rewrite the goldens instead of comparing with them")

// statesPage is the page about the machine, at the top of the repository.
const statesPage = "../../states.md"

func draw(t *testing.T, format diagram.Format, o diagram.Options) []byte {
	t.Helper()
	var picture bytes.Buffer
	if err := diagram.Write(&picture, format, o); err != nil {
		t.Fatal(err)
	}
	return picture.Bytes()
}

// TestGoldens compares the drawings with the goldens; -update rewrites them.
func TestGoldens(t *testing.T) {
	t.Parallel()
	everything := diagram.Options{SelfLoops: true, Guards: true, Effects: true}
	for _, c := range []struct {
		file    string
		format  diagram.Format
		options diagram.Options
	}{
		{"testdata/overview.mmd", diagram.Mermaid, diagram.Options{}},
		{"testdata/guards.mmd", diagram.Mermaid, diagram.Options{Guards: true}},
		{"testdata/highlight.mmd", diagram.Mermaid, diagram.Options{Highlight: fsm.Reclaiming, SelfLoops: true}},
		{"testdata/everything.mmd", diagram.Mermaid, everything},
		{"testdata/overview.dot", diagram.DOT, diagram.Options{}},
		{"testdata/highlight.dot", diagram.DOT, diagram.Options{Highlight: fsm.Stopped, SelfLoops: true}},
		{"testdata/everything.dot", diagram.DOT, everything},
		{"testdata/overview.svg", diagram.SVG, diagram.Options{}},
		{"testdata/self-loops.svg", diagram.SVG, diagram.Options{SelfLoops: true}},
		{"testdata/highlight.svg", diagram.SVG, diagram.Options{Highlight: fsm.FallingBack}},
		{"testdata/effects.svg", diagram.SVG, diagram.Options{Effects: true}},
		{"testdata/everything.svg", diagram.SVG, everything},
	} {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			t.Parallel()
			got := draw(t, c.format, c.options)
			if *update {
				if err := os.WriteFile(c.file, got, 0o644); err != nil { //nolint:gosec // a picture for everybody
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s is stale: rewrite it with go test ./fsm/diagram -update, and look at it", c.file)
			}
		})
	}
}
