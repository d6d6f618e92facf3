package dispatch

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestAnOldRecordDoesNotComeBack(t *testing.T) {
	now := time.Now()
	job := func(revision uint64, state wire.JobState, worker string) store.Job {
		return store.Job{ID: "j", Queue: "q", State: state, WorkerID: worker, Revision: revision}
	}
	for name, do := range map[string]func(x *index){
		"its own end is applied before the watch gives what came before": func(x *index) {
			x.applyJob(job(1, wire.StateQueued, ""), now, time.Time{})
			x.applyJob(job(3, wire.StateFinished, "a"), now, now)
			x.applyJob(job(2, wire.StateRunning, "a"), now, time.Time{})
			x.reached("j", 2)
			x.reached("j", 3)
		},
		"a read that took longer than the end": func(x *index) {
			x.applyJob(job(1, wire.StateQueued, ""), now, time.Time{})
			x.applyJob(job(2, wire.StateFinished, ""), now, now)
			x.reached("j", 2)
			x.applyJob(job(1, wire.StateQueued, ""), now, time.Time{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newIndex()
			do(x)
			if len(x.jobs) != 0 || len(x.inHand) != 0 || len(x.queues) != 0 || len(x.over) != 0 {
				t.Errorf("left: %d jobs, %d in hand, %d queues, %d over", len(x.jobs), len(x.inHand), len(x.queues), len(x.over))
			}
		})
	}
}

// Whatever is applied in whatever order, nobody is claimed twice or against the
// rules, and no job waits beside an idle worker of its queue.
func TestMatching(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newIndex()
		now := time.Now()
		var revision uint64
		jobs, workers := map[string]store.Job{}, map[string]store.Worker{}
		var claims []*claim
		id := func(kind string) string { return kind + fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "id")) }
		put := func(j store.Job) {
			revision++
			j.Revision = revision
			jobs[j.ID] = j
			x.applyJob(j, now, time.Time{})
			x.reached(j.ID, revision)
		}
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				name := id("j")
				if _, known := jobs[name]; !known {
					put(store.Job{ID: name, Queue: id("q"), State: wire.StateQueued, Priority: rapid.Int32Range(0, 2).Draw(t, "priority")})
				}
			},
			"worker": func(t *rapid.T) {
				revision++
				name := id("a")
				a := workers[name]
				if a.ID == "" {
					a = store.Worker{ID: name, Queue: id("q")}
				}
				a.State = rapid.SampledFrom([]store.WorkerState{store.WorkerConnected, store.WorkerConnected, store.WorkerLost}).Draw(t, "state")
				a.Paused, a.Stopping, a.Revision = rapid.Bool().Draw(t, "paused"), rapid.Bool().Draw(t, "stopping"), revision
				workers[name] = a
				x.applyWorker(a, now)
			},
			"stream": func(t *rapid.T) {
				if a := x.workers[id("a")]; a != nil {
					if a.feed == nil {
						a.feed = newFeed(standing(a.record), a.offers(), func(*Feed) {})
					} else {
						a.feed = nil
					}
					x.setIdle(a)
				}
			},
			"ping": func(t *rapid.T) {
				if a := x.workers[id("a")]; a != nil {
					if c := x.claimReady(a); c != nil {
						claims = append(claims, c)
					}
				}
			},
			"assigned": func(t *rapid.T) {
				if len(claims) == 0 {
					t.Skip()
				}
				c := claims[0]
				claims = claims[1:]
				if j := jobs[c.job.id]; j.State == wire.StateQueued && rapid.Bool().Draw(t, "stored") {
					j.State, j.WorkerID = wire.StateAssigned, c.worker.record.ID
					put(j)
				}
				x.release(c)
			},
			"moves": func(t *rapid.T) {
				j, known := jobs[id("j")]
				if !known || j.State.Final() {
					return
				}
				j.State = rapid.SampledFrom([]wire.JobState{wire.StateQueued, wire.StateCanceled}).Draw(t, "state")
				j.WorkerID = ""
				put(j)
			},
			"": func(t *rapid.T) {
				claims = append(claims, x.match()...)
				claimedJobs, claimedWorkers := map[string]bool{}, map[string]bool{}
				for _, c := range claims {
					if claimedJobs[c.job.id] || claimedWorkers[c.worker.record.ID] {
						t.Fatal("claimed twice")
					}
					claimedJobs[c.job.id], claimedWorkers[c.worker.record.ID] = true, true
				}
				for _, q := range x.queues {
					if q.ready.Len() > 0 && q.idle.Len() > 0 {
						t.Fatalf("queue %s has %d ready and %d idle", q.name, q.ready.Len(), q.idle.Len())
					}
				}
				ready, idle := 0, 0
				for _, q := range x.queues {
					ready += q.ready.Len()
					idle += q.idle.Len()
				}
				wantReady, wantIdle := 0, 0
				for _, j := range jobs {
					if j.State == wire.StateQueued && !claimedJobs[j.ID] {
						wantReady++
					}
				}
				for _, a := range x.workers {
					if a.free() && a.feed != nil {
						wantIdle++
						if claimedWorkers[a.record.ID] || a.record.Paused || a.record.Stopping || a.record.State != store.WorkerConnected {
							t.Fatalf("%s is free", a.record.ID)
						}
					}
				}
				if ready != wantReady || idle != wantIdle {
					t.Fatalf("%d ready, want %d; %d idle, want %d", ready, wantReady, idle, wantIdle)
				}
			},
		})
	})
}

func BenchmarkIndexWith100kQueued(b *testing.B) {
	const queued = 100_000
	x := newIndex()
	now := time.Now()
	var revision uint64
	put := func(j store.Job) store.Job {
		revision++
		j.Revision = revision
		x.applyJob(j, now, now)
		x.reached(j.ID, revision)
		return j
	}
	x.applyWorker(store.Worker{ID: "a", Queue: "q", State: store.WorkerConnected, Revision: 1}, now)
	for i := range queued {
		put(store.Job{ID: newID(), Queue: "q", State: wire.StateQueued, Priority: int32(i % 3)})
	}
	a := x.workers["a"]
	for b.Loop() { // a job comes, the best is given out, and ends
		put(store.Job{ID: newID(), Queue: "q", State: wire.StateQueued})
		c := x.claimReady(a)
		job := put(store.Job{ID: c.job.id, Queue: "q", State: wire.StateAssigned, WorkerID: "a"})
		x.release(c)
		job.State = wire.StateFinished
		put(job)
	}
}
