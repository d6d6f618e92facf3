// Package agentstatus makes a running agent visible on a port of its own: /metrics for
// Prometheus, /status as JSON, and /healthz. An agent that was not asked for it links
// nothing of this into the path of its workers.
//
// The port has no authentication and shows no secrets; by default it is on loopback. All
// metrics are listed in internal/telemetry/metrics.md, which a test compares with this
// package.
package agentstatus
