package monitoring

import (
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"go.yaml.in/yaml/v3"
)

// alert is a rule of an alert.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(Alerts, &rules); err != nil {
		t.Fatal(err)
	}
	for _, group := range rules.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// The text of each alert can be made from the labels that its query leaves, as Prometheus
// makes it.
func TestAlertTexts(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	if len(all) < 10 {
		t.Fatalf("only %d alerts were found", len(all))
	}
	known := labels(t)
	for _, rule := range all {
		if _, err := time.ParseDuration(rule.For); rule.For != "" && err != nil {
			t.Errorf("alert %s: %v", rule.Alert, err)
		}
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("alert %s lacks a severity, a summary or a description", rule.Alert)
		}
		parsed, err := metricsql.Parse(rule.Expr)
		if err != nil {
			t.Errorf("alert %s: %v", rule.Alert, err)
			continue
		}
		left := map[string]string{}
		for _, label := range labelsLeft(parsed, known) {
			left[label] = "value-of-" + label
		}
		for name, text := range rule.Annotations {
			if made, err := annotation(text, left); err != nil || strings.Contains(made, "{{") {
				t.Errorf("alert %s, %s: %q, %v", rule.Alert, name, made, err)
			}
		}
	}
}

// TestMissingLabelsAreFound checks that the test above finds what it must find.
func TestMissingLabelsAreFound(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		expr, text string
		ok         bool
	}{
		{"m > 0", "{{ $labels.queue }} {{ $labels.instance }}", true},
		{"m > 0", "{{ $labels.state }}", false},
		{"sum by (queue) (m)", "{{ $labels.queue }} {{ $value | humanize }}", true},
		{"sum by (queue) (m)", "{{ $labels.instance }}", false},
		{"histogram_quantile(0.9, sum by (instance, le) (rate(m[5m]))) > 1", "{{ $labels.instance }}", true},
		{"histogram_quantile(0.9, sum by (instance, le) (rate(m[5m]))) > 1", "{{ $labels.le }}", false},
		{"max(m)", "{{ $labels.queue }}", false},
		{"m > 0", "{{ $value | percent }}", false},
	} {
		parsed, err := metricsql.Parse(row.expr)
		if err != nil {
			t.Fatal(err)
		}
		left := map[string]string{}
		for _, label := range labelsLeft(parsed, map[string][]string{"m": {"queue"}}) {
			left[label] = "x"
		}
		if made, err := annotation(row.text, left); (err == nil) != row.ok {
			t.Errorf("%s of %s: %q, %v", row.text, row.expr, made, err)
		}
	}
}

// labelsLeft returns the labels of what an expression returns: those of its metric and of its
// target, unless it is aggregated by some.
func labelsLeft(e metricsql.Expr, known map[string][]string) []string {
	switch e := e.(type) {
	case *metricsql.MetricExpr:
		return append([]string{"instance", "job"}, known[e.LabelFilterss[0][0].Value]...)
	case *metricsql.RollupExpr:
		return labelsLeft(e.Expr, known)
	case *metricsql.BinaryOpExpr:
		return labelsLeft(e.Left, known)
	case *metricsql.AggrFuncExpr:
		return e.Modifier.Args
	case *metricsql.FuncExpr:
		of := slices.Clone(labelsLeft(e.Args[len(e.Args)-1], known))
		if e.Name == "histogram_quantile" {
			of = slices.DeleteFunc(of, func(label string) bool { return label == "le" })
		}
		return of
	}
	return nil
}

// annotation makes the text of an annotation.
func annotation(text string, of map[string]string) (string, error) {
	number := func(float64) string { return "1" }
	parsed, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"humanize": number, "humanize1024": number, "humanizeDuration": number, "humanizePercentage": number,
	}).Parse("{{ $labels := .Labels }}{{ $value := .Value }}" + text)
	if err != nil {
		return "", err
	}
	var made strings.Builder
	err = parsed.Execute(&made, map[string]any{"Labels": of, "Value": 1.0})
	return made.String(), err
}
