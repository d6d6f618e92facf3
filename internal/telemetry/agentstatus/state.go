package agentstatus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
)

// state reads what an agent does, when somebody asks. It implements prometheus.Collector.
type state struct {
	status func() agent.Status

	workers, paused, running, since, undelivered, spool, draining *prometheus.Desc
}

func newState(status func() agent.Status) *state {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
	}
	return &state{
		status:      status,
		workers:     desc("workers", "Workers by the state of their machine.", "state"),
		paused:      desc("workers_paused", "Workers that are paused."),
		running:     desc("jobs_running", "Jobs in hand."),
		since:       desc("worker_state_seconds", "Time since the state of a worker changed to what it is.", "worker", "state"),
		undelivered: desc("undelivered_results", "Jobs whose result the control plane has not acknowledged."),
		spool:       desc("spool_bytes", "Size of the output and results that the control plane does not have yet."),
		draining:    desc("draining", "Whether the agent takes no more jobs: 1 or 0."),
	}
}

// Describe implements prometheus.Collector.
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.workers, s.paused, s.running, s.since, s.undelivered, s.spool, s.draining} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	status, now := s.status(), time.Now()
	inState, paused, running := map[fsm.State]int{}, 0, 0
	for _, w := range status.Workers {
		inState[w.State]++
		if w.Paused {
			paused++
		}
		if w.JobID != "" {
			running++
		}
		if !w.Since.IsZero() && w.State != fsm.Stopped { // another worker may have the name by now
			gauge(s.since, max(0, now.Sub(w.Since).Seconds()), w.Name, w.StateName)
		}
	}
	for _, state := range append(states(), fsm.Stopped) {
		gauge(s.workers, float64(inState[state]), state.String())
	}
	gauge(s.paused, float64(paused))
	gauge(s.running, float64(running))
	gauge(s.undelivered, float64(len(status.Undelivered)))
	gauge(s.spool, float64(status.SpoolBytes))
	draining := 0.0
	if status.Draining {
		draining = 1
	}
	gauge(s.draining, draining)
}
