package machines_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/machines"
)

var update = flag.Bool("update", false, "rewrite the goldens and states.md instead of comparing with them")

// TestGoldens compares the drawings and states.md with the files; -update rewrites
// them.
func TestGoldens(t *testing.T) {
	t.Parallel()
	job, record := machines.Job(), machines.WorkerRecord()
	everything := diagram.Options{SelfLoops: true, Guards: true, Effects: true}
	chart := func(c diagram.Chart, f diagram.Format, o diagram.Options) func(io.Writer) error {
		return func(w io.Writer) error { return c.Write(w, f, o) }
	}
	for _, g := range []struct {
		file string
		draw func(io.Writer) error
	}{
		{"testdata/job.mmd", chart(job, diagram.Mermaid, diagram.Options{})},
		{"testdata/job.dot", chart(job, diagram.DOT, everything)},
		{"testdata/job.svg", chart(job, diagram.SVG, diagram.Options{})},
		{"testdata/job-everything.svg", chart(job, diagram.SVG, everything)},
		{"testdata/worker-record.mmd", chart(record, diagram.Mermaid, everything)},
		{"testdata/worker-record.dot", chart(record, diagram.DOT, diagram.Options{})},
		{"testdata/worker-record.svg", chart(record, diagram.SVG, diagram.Options{})},
		{"../../states.md", machines.WritePage},
	} {
		t.Run(g.file, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := g.draw(&got); err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(g.file, got.Bytes(), 0o644); err != nil { //nolint:gosec // a picture for everybody
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(g.file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s is stale: rewrite it with .ci/generate, and look at it", g.file)
			}
		})
	}
}

// TestChartsAreWhole shows that the charts have every row, every ignored pair and
// every event of their tables.
func TestChartsAreWhole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		chart                diagram.Chart
		rows, ignored, kinds int
		states               int
	}{
		{machines.Job(), len(lifecycle.Rows()), len(lifecycle.IgnoredPairs()), len(lifecycle.EventKinds()), 7},
		{
			machines.WorkerRecord(), len(workerstate.Rows()), len(workerstate.IgnoredPairs()), len(workerstate.EventKinds()),
			len(workerstate.States()),
		},
	} {
		if err := c.chart.Validate(); err != nil {
			t.Error(err)
		}
		if len(c.chart.Rows) != c.rows || len(c.chart.Ignored) != c.ignored || len(c.chart.Events) != c.kinds || len(c.chart.States) != c.states {
			t.Errorf("%s: %d rows, %d ignored, %d events, %d states; want %d, %d, %d, %d", c.chart.Title,
				len(c.chart.Rows), len(c.chart.Ignored), len(c.chart.Events), len(c.chart.States), c.rows, c.ignored, c.kinds, c.states)
		}
		var page bytes.Buffer
		if err := c.chart.Write(&page, diagram.Markdown, diagram.Options{}); err != nil {
			t.Fatal(err)
		}
		if lines := regexp.MustCompile(`(?m)^\| .* \| .* \| (\*\*\w+\*\*|\(stays\)) \| .*\|$`).FindAllString(page.String(), -1); len(lines) != c.rows {
			t.Errorf("%s: the page has %d rows, want %d", c.chart.Title, len(lines), c.rows)
		}
	}
}

// TestSVGIsWellFormed shows that the pictures are XML, and that each state and the
// number of each arrow is in them.
func TestSVGIsWellFormed(t *testing.T) {
	t.Parallel()
	for _, c := range []diagram.Chart{machines.Job(), machines.WorkerRecord()} {
		var picture bytes.Buffer
		if err := c.Write(&picture, diagram.SVG, diagram.Options{Guards: true, SelfLoops: true}); err != nil {
			t.Fatal(err)
		}
		text := picture.String()
		decoder := xml.NewDecoder(strings.NewReader(text))
		for {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", c.Title, err)
			}
		}
		for _, s := range c.States {
			if !strings.Contains(text, ">"+s.Name+"</text>") {
				t.Errorf("%s: no box of %s", c.Title, s.Name)
			}
		}
		if !strings.Contains(text, ">(1)</text>") || !strings.Contains(text, ">(1) start → ") {
			t.Errorf("%s: the first arrow has no number or no legend", c.Title)
		}
	}
}

// TestChartRefuses shows that a chart that does not fit together is not drawn.
func TestChartRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names string
		chart diagram.Chart
	}{
		{"no states", diagram.Chart{}},
		{"the same place", diagram.Chart{States: []diagram.ChartState{{Name: "one"}, {Name: "two"}}}},
		{`to "two"`, diagram.Chart{States: []diagram.ChartState{{Name: "one"}}, Rows: []diagram.ChartRow{{From: "one", To: "two"}}}},
	} {
		if err := c.chart.Write(io.Discard, diagram.SVG, diagram.Options{}); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%v, which does not name %s", err, c.names)
		}
	}
	job := machines.Job()
	if err := job.Write(io.Discard, "png", diagram.Options{}); err == nil {
		t.Error("a picture in an unknown format")
	}
}
