// Package monitoring has a dashboard for Grafana and alert rules for Prometheus. Their
// queries name metrics of internal/telemetry/metrics.md, which a test checks.
package monitoring

import _ "embed" // the files

// Dashboard is the JSON of a dashboard for Grafana.
//
//go:embed grafana.json
var Dashboard []byte

// Alerts is the YAML of a file of rules for Prometheus.
//
//go:embed alerts.yml
var Alerts []byte
