package monitoring

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/telemetry/metricsdoc"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// query is an expression and where it is from.
type query struct{ from, text string }

// queries returns every query of the dashboard, the alerts and the document.
func queries(t *testing.T) (all []query) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			ID      int    `json:"id"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(Dashboard, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, panel := range dashboard.Panels {
		if ids[panel.ID] {
			t.Errorf("two panels have the ID %d", panel.ID)
		}
		ids[panel.ID] = true
		for _, target := range panel.Targets {
			text := strings.NewReplacer("$__rate_interval", "5m", "$queue", "linux").Replace(target.Expr)
			all = append(all, query{"panel " + panel.Title, text})
		}
	}
	for _, rule := range alerts(t) {
		all = append(all, query{"alert " + rule.Alert, rule.Expr})
	}
	document, err := os.ReadFile(metricsdoc.Path(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(document), -1) {
		all = append(all, query{"metrics.md", block[1]})
	}
	return all
}

// labels returns the labels of every metric and of its series, as documented.
func labels(t *testing.T) map[string][]string {
	t.Helper()
	document, err := os.ReadFile(metricsdoc.Path(t))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| `(switchyard_[a-z_]+)` \\| ([a-z]+) \\| [a-z]+ \\| ([^|]*) \\|")
	for _, m := range row.FindAllStringSubmatch(string(document), -1) {
		of := append(regexp.MustCompile("[a-z_]+").FindAllString(m[3], -1), "instance", "job") // the last are of Prometheus
		if m[2] == "histogram" {
			known[m[1]+"_sum"], known[m[1]+"_count"], known[m[1]+"_bucket"] = of, of, append(slices.Clip(of), "le")
			continue
		}
		known[m[1]] = of
	}
	return known
}

// values returns the values of a label of a metric that are the same everywhere.
func values(metric, label string) (all []string) {
	switch metric + "." + label {
	case "switchyard_jobs.state":
		for _, state := range wire.JobStates() {
			all = append(all, string(state))
		}
	case "switchyard_workers.state":
		for _, condition := range schedule.WorkerConditions() {
			all = append(all, string(condition))
		}
	case "switchyard_workers.connection":
		return []string{"stream", "poll"}
	case "switchyard_store_full.cause":
		return []string{"disk", "max_store"}
	case "switchyard_agent_workers.state":
		for _, state := range fsm.States() {
			all = append(all, state.String())
		}
	}
	return all
}

// Each query is one, and names only metrics, labels and values that exist.
func TestQueries(t *testing.T) {
	t.Parallel()
	known, all := labels(t), queries(t)
	if len(all) < 40 || len(known) < 40 {
		t.Fatalf("only %d queries and %d series were found", len(all), len(known))
	}
	for _, q := range all {
		parsed, err := metricsql.Parse(q.text)
		if err != nil {
			t.Errorf("%s: %s: %v", q.from, q.text, err)
			continue
		}
		var common []string // the labels that every metric of the query has
		found := false
		metricsql.VisitAll(parsed, func(e metricsql.Expr) {
			metric, ok := e.(*metricsql.MetricExpr)
			if !ok {
				return
			}
			name := metric.LabelFilterss[0][0].Value
			of, ok := known[name]
			if !ok {
				t.Errorf("%s: there is no metric %s", q.from, name)
				return
			}
			found = true
			common = append(common, of...)
			for _, filter := range metric.LabelFilterss[0][1:] {
				if !slices.Contains(of, filter.Label) {
					t.Errorf("%s: %s has no label %s", q.from, name, filter.Label)
				}
				exist := values(name, filter.Label)
				for value := range strings.SplitSeq(filter.Value, "|") {
					if exist != nil && !slices.Contains(exist, value) {
						t.Errorf("%s: %s has no %s %s", q.from, name, filter.Label, value)
					}
				}
			}
		})
		metricsql.VisitAll(parsed, func(e metricsql.Expr) {
			by, ok := e.(*metricsql.ModifierExpr)
			if !ok {
				return
			}
			for _, label := range by.Args {
				if !slices.Contains(common, label) {
					t.Errorf("%s: %s by a label %s that no metric has", q.from, q.text, label)
				}
			}
		})
		if !found {
			t.Errorf("%s names no metric of ours: %s", q.from, q.text)
		}
	}
}
