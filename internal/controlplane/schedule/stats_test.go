package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Each job is counted once, in its present state, and each worker with what it does.
func TestStats(t *testing.T) {
	now, begin := time.Now(), time.UnixMilli(1_700_000_000_000)
	x, revision := New(), uint64(0)
	job := func(n int, queue string, state wire.JobState, worker string) {
		revision++
		x.ApplyJob(record.Job{
			ID: newIDAt(begin.Add(time.Duration(n)*time.Second), byte(n)), Queue: queue, Revision: revision,
			Job: lifecycle.Job{State: state, WorkerID: worker},
		}, now, now.Add(time.Hour))
	}
	worker := func(name string, state workerstate.State, stream bool) string {
		revision++
		id := newIDAt(begin, byte(100+revision))
		x.ApplyWorker(record.Worker{ID: id, Name: name, Queue: "a", Revision: revision, Worker: workerstate.Worker{State: state}}, now)
		if stream {
			x.Attach(id, nullStream{})
		}
		return id
	}
	worker("idle", workerstate.Available, true)
	worker("polls", workerstate.Available, false)
	busy := worker("busy", workerstate.Available, true)
	worker("paused", workerstate.Paused, true)
	worker("draining", workerstate.Draining, false)
	worker("lost", workerstate.Lost, false)
	worker("idle", workerstate.Lost, false) // its agent was killed, and started again
	worker("left", workerstate.Lost, false) // and left then
	worker("left", workerstate.Left, false)
	x.AttachedTo("self", Announcement{Replica: "other replica", WorkerID: worker("elsewhere", workerstate.Available, false), Epoch: 1})

	job(1, "a", wire.StateQueued, "")
	job(2, "a", wire.StateQueued, "")
	job(3, "a", wire.StateQueued, "")
	job(3, "a", wire.StateRunning, busy)
	job(4, "b", wire.StateQueued, "")
	job(4, "b", wire.StateFinished, "")
	job(5, "b", wire.StateCanceled, "")
	job(1, "a", wire.StateCanceled, "") // so that the second is the oldest

	got := x.Stats()
	want := Stats{Streams: 3, Queues: map[string]*QueueStats{
		"a": {
			Jobs:         map[wire.JobState]int{wire.StateQueued: 1, wire.StateRunning: 1, wire.StateCanceled: 1},
			OldestQueued: begin.Add(2 * time.Second),
			Workers: map[WorkerKind]int{
				{WorkerIdle, true}: 2, {WorkerIdle, false}: 1, {WorkerBusy, true}: 1, {WorkerPaused, true}: 1,
				{WorkerDraining, false}: 1, {WorkerLost, false}: 2,
			},
		},
		"b": {Jobs: map[wire.JobState]int{wire.StateFinished: 1, wire.StateCanceled: 1}, Workers: map[WorkerKind]int{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	x.ExpiredWorkers(now.Add(time.Minute), 90*time.Second)
	if x.Stats().Queues["a"].Workers[WorkerKind{WorkerSilent, true}] == 0 {
		t.Errorf("no worker is silent: %v", x.Stats().Queues["a"].Workers)
	}
}

// Statistics of a million kept jobs cost as little as those of a few.
func BenchmarkStats(b *testing.B) {
	for _, jobs := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(jobs), func(b *testing.B) {
			x, now := New(), time.Now()
			for n := range jobs {
				x.ApplyJob(record.Job{
					ID: newIDAt(now.Add(time.Duration(n)*time.Millisecond), 1), Queue: fmt.Sprint(n % 20), Revision: uint64(n + 1),
					Job: lifecycle.Job{State: wire.StateQueued},
				}, now, now)
			}
			for b.Loop() {
				_ = x.Stats()
			}
		})
	}
}
