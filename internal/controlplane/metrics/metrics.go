package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/agentwire"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Namespace begins the name of every metric of the control plane.
const Namespace = "switchyard"

const (
	// maxScrapes bounds the scrapes at the same time; others get 503.
	maxScrapes = 4
	// scrapeTimeout bounds a scrape. Prometheus gives up after 10 s by default.
	scrapeTimeout = 8 * time.Second
	// storeTimeout bounds what a scrape asks the store.
	storeTimeout = 2 * time.Second
)

// Source is where a scrape reads what is. Its methods may be called concurrently.
type Source struct {
	// Dispatcher has the jobs and workers.
	Dispatcher *dispatch.Dispatcher
	// Store has the sizes.
	Store *store.Store
	// Ready returns nil if the store can be used, store.ErrLimit if it takes no new job
	// only, and else why it cannot. It may reuse a result of the last second.
	Ready func(context.Context) error
}

// Metrics are the metrics of one control plane. Its methods may be called concurrently.
type Metrics struct {
	registry *prometheus.Registry
	queues   queues

	jobs     jobMetrics
	workers  *prometheus.CounterVec
	sweeps   prometheus.Histogram
	writes   *prometheus.HistogramVec
	failures *prometheus.CounterVec
	failed   prometheus.Gauge
	requests requestMetrics
	streams  *prometheus.HistogramVec
}

// New returns metrics without a Source: the methods that count can be used at once.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), queues: queues{known: map[string]struct{}{}}}
	m.jobs = newJobMetrics()
	m.workers = newCounter("worker_changes_total", "Changes of workers that this replica has stored, by event.", "event")
	m.sweeps = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: Namespace, Name: "sweep_duration_seconds",
		Help: "Duration of a sweep, which looks for expired leases and what else follows from silence.", Buckets: shortBuckets(),
	})
	m.writes = newHistogram("store_write_duration_seconds",
		"Duration of a write to the store, its sync included, by stream.", shortBuckets(), "stream")
	m.failures = newCounter("store_write_errors_total",
		"Writes to the store that failed, by stream and cause: conflict is a change by another writer first, which is tried again.",
		"stream", "cause")
	m.failed = prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: Namespace, Name: "store_last_error_timestamp_seconds",
		Help: "When a write to the store last failed, conflicts left out, in seconds since 1970; 0 is never.",
	})
	m.requests = newRequestMetrics()
	m.streams = newHistogram("stream_duration_seconds", "How long streams of workers lasted that ended, by reason.", lifeBuckets(), "reason")
	m.registry.MustRegister(m.workers, m.sweeps, m.writes, m.failures, m.failed, m.streams,
		collectors.NewGoCollector(), collectors.NewBuildInfoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.jobs.all()...)
	m.registry.MustRegister(m.requests.all()...)
	m.initialize()
	return m
}

// initialize makes the series whose labels are known, so that their first event is an
// increase of zero and not of nothing, which Prometheus does not count.
func (m *Metrics) initialize() {
	for _, row := range lifecycle.Rows() {
		switch {
		case row.To == wire.StateQueued && row.From.InHand():
			m.jobs.requeued.WithLabelValues(row.On.String())
		case row.To == wire.StateLost && row.From == wire.StateRunning:
			m.jobs.lost.WithLabelValues(row.On.String())
		}
	}
	for _, event := range workerstate.EventKinds() {
		m.workers.WithLabelValues(event.String())
	}
	for _, reason := range agentwire.StreamEnds() {
		m.streams.WithLabelValues(reason)
	}
	for _, stream := range store.StreamNames() {
		m.writes.WithLabelValues(stream)
		for _, cause := range []string{causeFull, causeUnavailable, causeConflict, causeTooLarge} {
			m.failures.WithLabelValues(stream, cause)
		}
	}
}

// Read has every scrape read from the source, too. It must be called once.
func (m *Metrics) Read(source Source) { m.registry.MustRegister(newState(source, &m.queues)) }

// Handler returns the handler of /metrics. The caller authenticates its requests.
func (m *Metrics) Handler(logger *zap.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: zap.NewStdLog(logger), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: maxScrapes, Timeout: scrapeTimeout,
	})
}

// Swept implements dispatch.Observer.
func (m *Metrics) Swept(took time.Duration) { m.sweeps.Observe(took.Seconds()) }

// StreamEnded counts a stream of a worker that has ended.
func (m *Metrics) StreamEnded(reason string, lasted time.Duration) {
	m.streams.WithLabelValues(reason).Observe(lasted.Seconds())
}
