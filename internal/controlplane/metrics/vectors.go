package metrics

import "github.com/prometheus/client_golang/prometheus"

// shortBuckets returns the bounds, in seconds, for a write or a request.
func shortBuckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// jobBuckets returns the bounds, in seconds, for what a person waits for.
func jobBuckets() []float64 {
	return []float64{.005, .01, .025, .05, .1, .25, .5, 1, 5, 15, 60, 300, 900, 3600, 14400}
}

// lifeBuckets returns the bounds, in seconds, for streams, whose planned end is after half
// an hour by default.
func lifeBuckets() []float64 { return []float64{1, 10, 60, 300, 900, 1800, 3600, 14400} }

func newCounter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: Namespace, Name: name, Help: help}, labels)
}

func newHistogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: Namespace, Name: name, Help: help, Buckets: buckets}, labels)
}
