// Package metrics has the metrics of a control plane, for Prometheus. What happens is
// counted when it happens; what is, such as the jobs of each queue, is read from the index
// and the store when somebody asks.
//
// The values of a label are bounded: queues are named by callers, so the first MaxQueues
// of them have their own, and the others share OtherQueues.
//
// All metrics are listed in internal/telemetry/metrics.md, which a test compares with
// this package.
package metrics
