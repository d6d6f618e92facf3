package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// state reads what is, when somebody asks. It implements prometheus.Collector.
type state struct {
	source Source
	queues *queues

	jobs, unmatched, oldest, paused  *prometheus.Desc
	tagSets, tagsRefused             *prometheus.Desc
	workers, streams                 *prometheus.Desc
	postponed, failing, attempts     *prometheus.Desc
	up, full, bytes, messages, limit *prometheus.Desc
	diskFree, maxStore               *prometheus.Desc
}

func newState(source Source, queues *queues) *state {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(Namespace+"_"+name, help, labels, nil)
	}
	return &state{
		source: source, queues: queues,
		jobs: desc("jobs", "Stored jobs by queue and state, those that ended included. "+
			"Every replica has the same: take the largest, not the sum.", "queue", "state"),
		unmatched: desc("jobs_unmatched", "Queued jobs that require tags which no connected worker of their queue has. "+
			"Every replica has the same: take the largest, not the sum.", "queue"),
		tagSets: desc("tag_set_bytes", "About how much memory the different sets of tags take that jobs require which have not ended. "+
			"A job with one more set is refused above 64 MiB in its queue, or 128 MiB in all. "+
			"Every replica has the same: take the largest, not the sum.", "queue"),
		tagsRefused: desc("tag_sets_refused_total", "Jobs that were refused since the sets of tags that jobs require are at their limit."),
		oldest: desc("queue_oldest_seconds", "Time since the oldest job of a queue was submitted that is queued now; "+
			"0 if none is.", "queue"),
		paused: desc("queue_paused", "Whether a queue is paused, so that none of its jobs is offered to a worker: 1 or 0.", "queue"),
		workers: desc("workers", "Workers by queue, by what they do (idle, busy, silent, paused, draining, lost), and by whether they have a "+
			"stream to any replica. Every replica has the same: take the largest, not the sum.", "queue", "state", "connection"),
		streams:   desc("streams", "Streams of workers that are open to this replica."),
		postponed: desc("jobs_postponed", "Queued jobs whose assignment could not be stored, and is tried again later."),
		failing:   desc("records_failing", "Jobs and workers with a change that could not be stored, and is tried again."),
		attempts:  desc("record_failures_total", "Failed attempts to store a change of a job or worker."),
		up:        desc("store_up", "Whether the store responds and can be written: 1 or 0."),
		full: desc("store_full", "Whether there is no room, by cause: disk, where nothing is stored, and max_store, "+
			"where no new job is stored: 1 or 0.", "cause"),
		bytes:    desc("store_bytes", "Bytes in a stream of the store: state is jobs, workers, keys and tokens.", "stream"),
		messages: desc("store_messages", "Messages in a stream of the store.", "stream"),
		limit: desc("store_limit_bytes", "Bytes above which the oldest of a stream are discarded or, for state, no new job is stored; "+
			"absent if there is none.", "stream"),
		diskFree: desc("store_disk_free_bytes", "Bytes that can be written to the disk of the embedded store."),
		maxStore: desc("store_max_bytes", "The limit of everything stored (--max-store); absent without one."),
	}
}

// Describe implements prometheus.Collector.
func (s *state) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		s.jobs, s.unmatched, s.tagSets, s.tagsRefused, s.oldest, s.paused, s.workers, s.streams, s.postponed, s.failing, s.attempts,
		s.up, s.full, s.bytes, s.messages, s.limit, s.diskFree, s.maxStore,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *state) Collect(out chan<- prometheus.Metric) {
	s.collectQueues(out)
	s.collectStore(out)
}

// queueTotals are the numbers of a value of the label queue.
type queueTotals struct {
	jobs      map[wire.JobState]int
	unmatched int
	tagSets   int
	workers   map[schedule.WorkerKind]int
	oldest    time.Time
	paused    bool // one of them is
}

func (s *state) collectQueues(out chan<- prometheus.Metric) {
	stats := s.source.Dispatcher.Stats()
	gauge(out, s.streams, stats.Streams)
	gauge(out, s.postponed, stats.Postponed)
	gauge(out, s.failing, stats.Failing)
	out <- prometheus.MustNewConstMetric(s.attempts, prometheus.CounterValue, float64(stats.Failures))
	out <- prometheus.MustNewConstMetric(s.tagsRefused, prometheus.CounterValue, float64(stats.TagsRefused))
	now := time.Now()
	for label, q := range s.totals(stats.Queues) {
		for _, state := range wire.JobStates() {
			gauge(out, s.jobs, q.jobs[state], label, string(state))
		}
		gauge(out, s.unmatched, q.unmatched, label)
		gauge(out, s.tagSets, q.tagSets, label)
		age := 0.0
		if !q.oldest.IsZero() {
			age = max(0, now.Sub(q.oldest).Seconds()) // the moments of two clocks
		}
		out <- prometheus.MustNewConstMetric(s.oldest, prometheus.GaugeValue, age, label)
		flag(out, s.paused, q.paused, label)
		for _, condition := range schedule.WorkerConditions() {
			for connection, streaming := range map[string]bool{"stream": true, "poll": false} {
				kind := schedule.WorkerKind{Condition: condition, Streaming: streaming}
				gauge(out, s.workers, q.workers[kind], label, string(condition), connection)
			}
		}
	}
}

// totals adds up the queues that have the same label.
func (s *state) totals(queues map[string]*schedule.QueueStats) map[string]*queueTotals {
	totals := map[string]*queueTotals{}
	for name, q := range queues {
		label := s.queues.label(name)
		total := totals[label]
		if total == nil {
			total = &queueTotals{jobs: map[wire.JobState]int{}, workers: map[schedule.WorkerKind]int{}}
			totals[label] = total
		}
		for state, n := range q.Jobs {
			total.jobs[state] += n
		}
		for kind, n := range q.Workers {
			total.workers[kind] += n
		}
		total.unmatched += q.Unmatched
		total.tagSets += q.TagSetBytes
		total.paused = total.paused || q.Pause.Paused
		if !q.OldestQueued.IsZero() && (total.oldest.IsZero() || q.OldestQueued.Before(total.oldest)) {
			total.oldest = q.OldestQueued
		}
	}
	return totals
}

func (s *state) collectStore(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := s.source.Ready(ctx)
	atLimit := errors.Is(err, store.ErrLimit)
	flag(out, s.up, err == nil || atLimit)
	flag(out, s.full, errors.Is(err, store.ErrFull), "disk")
	flag(out, s.full, atLimit, "max_store")
	if limit := s.source.Store.MaxStore(); limit > 0 {
		out <- prometheus.MustNewConstMetric(s.maxStore, prometheus.GaugeValue, float64(limit))
	}
	if free, ok := s.source.Store.DiskFree(); ok {
		out <- prometheus.MustNewConstMetric(s.diskFree, prometheus.GaugeValue, float64(free))
	}
	usage, err := s.source.Store.Usage(ctx)
	if err != nil {
		return // store_up is 0
	}
	for _, u := range usage {
		out <- prometheus.MustNewConstMetric(s.bytes, prometheus.GaugeValue, float64(u.Bytes), u.Stream)
		out <- prometheus.MustNewConstMetric(s.messages, prometheus.GaugeValue, float64(u.Messages), u.Stream)
		if u.Limit > 0 {
			out <- prometheus.MustNewConstMetric(s.limit, prometheus.GaugeValue, float64(u.Limit), u.Stream)
		}
	}
}

func gauge(out chan<- prometheus.Metric, desc *prometheus.Desc, n int, labels ...string) {
	out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
}

func flag(out chan<- prometheus.Metric, desc *prometheus.Desc, on bool, labels ...string) {
	n := 0
	if on {
		n = 1
	}
	gauge(out, desc, n, labels...)
}
