package agentstatus

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// namespace begins the name of every metric of an agent.
const namespace = "switchyard_agent"

// Metrics count what the workers of an agent do. The methods may be called concurrently.
type Metrics struct {
	registry *prometheus.Registry

	transitions, inState, pings, jobs *prometheus.CounterVec
	streams                           *prometheus.HistogramVec
	degraded, run, memory             prometheus.Histogram
	output, chunksFailed, cpu, killed prometheus.Counter

	mu      sync.Mutex
	workers map[string]*course // by ID
}

// course is what is known of the way of one worker so far.
type course struct {
	at       time.Time // of the last event
	degraded time.Time // since when the stream is not in control; zero while it is
	stream   time.Time // of the first message of the open stream; zero if there is none
	trusted  bool      // the stream has been in control before
}

// New returns metrics that count from zero.
func New() *Metrics {
	opts := func(name, help string) prometheus.CounterOpts {
		return prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
	}
	histogram := func(name, help string, buckets []float64) prometheus.HistogramOpts {
		return prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(), workers: map[string]*course{},
		transitions: prometheus.NewCounterVec(opts("transitions_total",
			"Changes of state of workers, by both states and the event that caused it."), []string{"from", "to", "event"}),
		inState: prometheus.NewCounterVec(opts("state_seconds_total",
			"Time that workers have spent in each state, together, up to the last event of each."), []string{"state"}),
		pings: prometheus.NewCounterVec(opts("pings_total",
			"Pings that were answered or have failed, by what came of them."), []string{"result"}),
		jobs: prometheus.NewCounterVec(opts("jobs_total", "Jobs that were started and have ended, by outcome."), []string{"outcome"}),
		streams: prometheus.NewHistogramVec(histogram("stream_duration_seconds",
			"Time from the first message of a stream to its end, by the event that ended it.", lifeBuckets()), []string{"event"}),
		degraded: prometheus.NewHistogram(histogram("reclaim_seconds",
			"Time from the loss of control by the stream until it was in control again.", lifeBuckets())),
		run: prometheus.NewHistogram(histogram("job_run_seconds", "Time from the start of a job's process to its end.", jobBuckets())),
		cpu: prometheus.NewCounter(opts("job_cpu_seconds_total", "Time that the processes of jobs that have ended spent on processors.")),
		memory: prometheus.NewHistogram(histogram("job_peak_memory_bytes",
			"Most memory that a job used: all of its processes if it had a control group, else its largest one, "+
				"if that had more than the agent.", memoryBuckets())),
		killed: prometheus.NewCounter(opts("jobs_killed_for_memory_total", "Jobs whose processes were killed for their limit of memory.")),
		output: prometheus.NewCounter(opts("job_output_bytes_total", "Bytes of the logs of jobs that have ended.")),
		chunksFailed: prometheus.NewCounter(opts("chunks_failed_total",
			"Chunks of logs that could not be delivered before the result of their job.")),
	}
	m.registry.MustRegister(m.transitions, m.inState, m.pings, m.jobs, m.streams, m.degraded, m.run, m.output, m.chunksFailed,
		m.cpu, m.memory, m.killed,
		collectors.NewGoCollector(), collectors.NewBuildInfoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.initialize()
	return m
}

// initialize makes the series whose labels are known, so that their first event is an
// increase of zero and not of nothing, which Prometheus does not count.
func (m *Metrics) initialize() {
	for _, event := range fsm.EventKinds() {
		switch {
		case isPing(event):
			m.pings.WithLabelValues(event.String())
		case endsStream(event):
			m.streams.WithLabelValues(event.String())
		}
	}
	for _, outcome := range outcomes() {
		m.jobs.WithLabelValues(outcome)
	}
	for _, state := range states() {
		m.inState.WithLabelValues(state.String())
	}
}

// lifeBuckets returns the bounds, in seconds, for streams and for degraded times.
func lifeBuckets() []float64 {
	return []float64{.1, .5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600, 14400}
}

// jobBuckets returns the bounds, in seconds, for jobs.
func jobBuckets() []float64 {
	return []float64{.01, .05, .1, .5, 1, 5, 15, 60, 300, 900, 3600, 14400}
}

// memoryBuckets returns the bounds, in bytes, for the memory of jobs: 1 MiB to 64 GiB.
func memoryBuckets() []float64 {
	const least, factor, count = 1 << 20, 4, 9
	return prometheus.ExponentialBuckets(least, factor, count)
}

// states returns the states that a worker stays in.
func states() []fsm.State {
	return []fsm.State{fsm.StreamHealthy, fsm.Running, fsm.FallingBack, fsm.PollingBusy, fsm.Reclaiming}
}

// isPing reports whether an event is the outcome of a ping.
func isPing(kind fsm.EventKind) bool {
	switch kind { //nolint:exhaustive // the others are not
	case fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredDisconnect, fsm.AnsweredJob, fsm.PollFailed, fsm.PollRefused:
		return true
	}
	return false
}

// endsStream reports whether an event is the end of a stream.
func endsStream(kind fsm.EventKind) bool {
	return kind == fsm.StreamEnded || kind == fsm.StreamLost || kind == fsm.StreamRefused
}

// Observe counts an event of a worker. It is the function agent.Config.Observe.
func (m *Metrics) Observe(r fsm.Record) {
	if r.From != r.To {
		m.transitions.WithLabelValues(r.From.String(), r.To.String(), r.Event.Kind.String()).Inc()
	}
	if isPing(r.Event.Kind) {
		m.pings.WithLabelValues(r.Event.Kind.String()).Inc()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.workers[r.Worker]
	if c == nil {
		c = &course{at: r.Time}
		m.workers[r.Worker] = c
	}
	if r.From != fsm.Initial && r.From != fsm.Stopped {
		m.inState.WithLabelValues(r.From.String()).Add(max(0, r.Time.Sub(c.at).Seconds()))
	}
	c.at = r.Time
	m.followStream(c, &r)
	m.followControl(c, &r)
	if r.To == fsm.Stopped {
		delete(m.workers, r.Worker)
	}
}

// followStream measures how long streams last.
func (m *Metrics) followStream(c *course, r *fsm.Record) {
	open := r.Facts.Stream.Open()
	switch {
	case open && c.stream.IsZero():
		c.stream = r.Time
	case !open && !c.stream.IsZero() && endsStream(r.Event.Kind):
		m.streams.WithLabelValues(r.Event.Kind.String()).Observe(r.Time.Sub(c.stream).Seconds())
		c.stream = time.Time{}
	}
}

// followControl measures how long a stream that was in control is not.
func (m *Metrics) followControl(c *course, r *fsm.Record) {
	switch inControl := r.To.Owner() == fsm.OwnerStream; {
	case inControl && c.trusted && !c.degraded.IsZero():
		m.degraded.Observe(r.Time.Sub(c.degraded).Seconds())
		c.degraded = time.Time{}
	case inControl:
		c.trusted = true
	case c.trusted && c.degraded.IsZero() && r.To != fsm.Stopped:
		c.degraded = r.Time
	}
}

// The outcomes of a job that was started.
const (
	succeeded    = "succeeded"
	failed       = "failed"
	canceled     = "canceled"
	timedOut     = "timed-out"
	agentStopped = "agent-stopped"
	neverRan     = "never-ran"
)

func outcomes() []string {
	return []string{succeeded, failed, canceled, timedOut, agentStopped, neverRan}
}

// JobEnded counts a job that has ended. It is the function agent.Config.JobEnded.
func (m *Metrics) JobEnded(r job.Result) {
	m.jobs.WithLabelValues(outcomeOf(r)).Inc()
	if finished, err := time.Parse(time.RFC3339Nano, r.FinishedAt); err == nil && !r.StartedAt.IsZero() {
		m.run.Observe(max(0, finished.Sub(r.StartedAt).Seconds()))
	}
	if r.Usage != (wire.Usage{}) {
		m.cpu.Add((time.Duration(r.Usage.CPUMicros) * time.Microsecond).Seconds())
	}
	if r.Usage.PeakMemory > 0 {
		m.memory.Observe(float64(r.Usage.PeakMemory))
	}
	if r.Usage.MemoryLimit > 0 {
		m.killed.Inc()
	}
	m.output.Add(float64(r.OutputBytes))
	m.chunksFailed.Add(float64(r.ChunksFailed))
}

func outcomeOf(r job.Result) string {
	switch r.SignalReason {
	case wire.ReasonCancel:
		return canceled
	case wire.ReasonTimedOut:
		return timedOut
	case wire.ReasonAgentStop:
		return agentStopped
	case wire.ReasonProcessRunError, wire.ReasonAgentRefused:
		return neverRan
	}
	if r.ExitStatus == "0" {
		return succeeded
	}
	return failed
}
