package metrics

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// However many queues callers name, there are MaxQueues values of the label and one more,
// and nothing is lost from the sums.
func TestQueuesAreBounded(t *testing.T) {
	m := New()
	const queues = 3 * MaxQueues
	stats := map[string]*schedule.QueueStats{}
	for n := range queues {
		name := fmt.Sprint("queue-", n)
		m.JobChanged(record.Job{}, record.Job{Queue: name, Job: lifecycle.Job{State: wire.StateQueued}}, lifecycle.Event{Kind: lifecycle.Submitted})
		stats[name] = &schedule.QueueStats{
			Jobs: map[wire.JobState]int{wire.StateQueued: 1}, OldestQueued: time.Unix(int64(1000-n), 0),
			Workers: map[schedule.WorkerKind]int{{Condition: schedule.WorkerIdle}: 2},
		}
	}
	if n := testutil.CollectAndCount(m.jobs.submitted); n != MaxQueues+1 {
		t.Errorf("%d series, want %d", n, MaxQueues+1)
	}
	if n := testutil.ToFloat64(m.jobs.submitted.WithLabelValues(OtherQueues)); n != queues-MaxQueues {
		t.Errorf("%v jobs of other queues, want %d", n, queues-MaxQueues)
	}
	totals := (&state{queues: &m.queues}).totals(stats)
	other := totals[OtherQueues]
	if len(totals) != MaxQueues+1 || other.jobs[wire.StateQueued] != queues-MaxQueues ||
		other.workers[schedule.WorkerKind{Condition: schedule.WorkerIdle}] != 2*(queues-MaxQueues) || other.oldest != time.Unix(1000-queues+1, 0) {
		t.Errorf("%d labels; the others together: %+v", len(totals), other)
	}
}

// BenchmarkJob is what the metrics of one job cost from its submission to its end.
func BenchmarkJob(b *testing.B) {
	m, at := New(), time.Now()
	states := []record.Job{{}}
	for _, state := range []wire.JobState{wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning, wire.StateFinished} {
		states = append(states, record.Job{Queue: "default", Job: lifecycle.Job{
			Result: lifecycle.Result{ExitStatus: "0"}, State: state,
			SubmittedAt: at, AssignedAt: at, AcceptedAt: at, StartedAt: at, FinishedAt: at,
		}})
	}
	for b.Loop() {
		for i := range len(states) - 1 {
			m.JobChanged(states[i], states[i+1], lifecycle.Event{})
			m.StoreWritten("state", time.Millisecond, nil)
		}
	}
}
