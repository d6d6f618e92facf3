package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// jobMetrics count what happens to jobs.
type jobMetrics struct {
	submitted, ended, requeued, lost *prometheus.CounterVec
	retried, late                    prometheus.Counter
	since, run                       *prometheus.HistogramVec
}

func newJobMetrics() jobMetrics {
	return jobMetrics{
		submitted: newCounter("jobs_submitted_total", "Jobs that this replica has stored, retries included, by queue.", "queue"),
		ended:     newCounter("jobs_ended_total", "Jobs that ended, by queue and outcome.", "queue", "outcome"),
		requeued:  newCounter("jobs_requeued_total", "Jobs that went back to their queue, by the event that caused it.", "event"),
		lost:      newCounter("jobs_lost_total", "Running jobs that were lost, by the event that caused it.", "event"),
		retried: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: Namespace, Name: "jobs_retried_total", Help: "Jobs that were submitted again under a new ID.",
		}),
		late: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: Namespace, Name: "job_late_results_total", Help: "Results that arrived after their job was lost.",
		}),
		since: newHistogram("job_since_submit_seconds",
			"Time from the submission of a job until it was assigned, accepted, started or finished, by queue.", jobBuckets(), "queue", "until"),
		run: newHistogram("job_run_seconds", "Time from the start of a job to its end, by queue.", jobBuckets(), "queue"),
	}
}

func (j jobMetrics) all() []prometheus.Collector {
	return []prometheus.Collector{j.submitted, j.ended, j.requeued, j.lost, j.retried, j.late, j.since, j.run}
}

// JobChanged implements dispatch.Observer. A job that is requeued counts again, from its
// submission, when it is assigned again.
func (m *Metrics) JobChanged(before, after record.Job, ev lifecycle.Event) {
	queue, j := m.queues.label(after.Queue), &m.jobs
	since := func(until string, at time.Time) {
		j.since.WithLabelValues(queue, until).Observe(max(0, at.Sub(after.SubmittedAt).Seconds()))
	}
	switch from, to := before.State, after.State; {
	case from == "":
		j.submitted.WithLabelValues(queue).Inc()
	case to == wire.StateQueued:
		j.requeued.WithLabelValues(ev.Kind.String()).Inc()
	case to == wire.StateAssigned && from != to:
		since("assigned", after.AssignedAt)
	case to == wire.StateAccepted && from != to:
		since("accepted", after.AcceptedAt)
	case to == wire.StateRunning && from != to:
		since("started", after.StartedAt)
	case to == wire.StateLost && from != to:
		j.lost.WithLabelValues(ev.Kind.String()).Inc()
	}
	if ev.Kind == lifecycle.Finished && before.State == wire.StateLost {
		j.late.Inc()
	}
	if after.RetriedBy != "" && before.RetriedBy == "" {
		j.retried.Inc()
	}
	if after.State.Final() && !before.State.Final() {
		j.ended.WithLabelValues(queue, string(after.Outcome())).Inc()
		if !after.StartedAt.IsZero() {
			since("finished", after.FinishedAt)
			j.run.WithLabelValues(queue).Observe(max(0, after.FinishedAt.Sub(after.StartedAt).Seconds()))
		}
	}
}

// WorkerChanged implements dispatch.Observer.
func (m *Metrics) WorkerChanged(_ record.Worker, ev workerstate.Event) {
	m.workers.WithLabelValues(ev.Kind.String()).Inc()
}
