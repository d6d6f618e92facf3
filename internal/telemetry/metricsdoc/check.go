// Package metricsdoc compares the tables of internal/telemetry/metrics.md with what a
// program really exports. It is for tests.
package metricsdoc

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// prefix begins the name of every metric of ours. Those of the Go runtime and of the
// process are documented elsewhere.
const prefix = "switchyard_"

// Path returns the path of the document in a checkout.
func Path(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "internal", "telemetry", "metrics.md")
		}
	}
	tb.Fatal("the test does not run in a checkout")
	return ""
}

// Check fails the test if the table between the comments <!-- begin NAME --> and
// <!-- end NAME --> of the document differs from the metrics of ours in a scrape, or
// writes it if update is set.
func Check(tb testing.TB, name string, scrape []byte, update bool) {
	tb.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	exported, err := parser.TextToMetricFamilies(bytes.NewReader(scrape))
	if err != nil {
		tb.Fatalf("parsing a scrape: %v", err)
	}
	want := table(exported)
	path := Path(tb)
	text, err := os.ReadFile(path) //nolint:gosec // a file of the checkout
	if err != nil {
		tb.Fatal(err)
	}
	begin, end := "<!-- begin "+name+" -->\n", "<!-- end "+name+" -->\n"
	before, rest, found := strings.Cut(string(text), begin)
	got, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		tb.Fatalf("%s has no table %s", path, name)
	}
	switch {
	case got == want:
	case update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil { //nolint:gosec // a file of the checkout
			tb.Fatal(err)
		}
	default:
		tb.Errorf("the table %s of %s differs from what is exported (-update rewrites it):\n%s", name, path, want)
	}
}

// table returns the Markdown table of what is exported of ours.
func table(exported map[string]*dto.MetricFamily) string {
	var out strings.Builder
	out.WriteString("\n| name | type | unit | labels | meaning |\n|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		metric := exported[name]
		labels := map[string]bool{}
		for _, sample := range metric.GetMetric() {
			for _, label := range sample.GetLabel() {
				labels["`"+label.GetName()+"`"] = true
			}
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s |\n", name, strings.ToLower(metric.GetType().String()), unit(name),
			strings.Join(slices.Sorted(maps.Keys(labels)), ", "), metric.GetHelp())
	}
	out.WriteString("\n")
	return out.String()
}

// unit returns the unit that a name has, by the conventions of Prometheus.
func unit(name string) string {
	name = strings.TrimSuffix(name, "_total")
	for _, unit := range []string{"seconds", "bytes", "ratio"} {
		if strings.HasSuffix(name, "_"+unit) {
			return unit
		}
	}
	return "number"
}
