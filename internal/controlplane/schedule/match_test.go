package schedule

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestOrder compares one Match after the other with the plain rule: the best ready job of all
// that an idle worker can run comes first, and of these workers it is given to the best one.
// Few or many workers become idle, and few or many jobs ready, between two of them.
func TestOrder(t *testing.T) {
	t.Parallel()
	names := []string{"a=1", "a=2", "b=1", "b=2", "c=1", "d=1", "e=1"}
	required := append([]string{"a=*", "b=*", "z=1"}, names...)
	rapid.Check(t, func(t *rapid.T) {
		some := func(from []string, most int) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, most, rapid.ID[string]).Draw(t, "tags")
		}
		c := newCrowded()
		if rapid.Bool().Draw(t, "as many workers") {
			c.x.fewWorkers = 0
		}
		priority := rapid.Int32Range(0, 1)
		busy := map[string]string{} // the jobs of workers
		for round := range rapid.IntRange(1, 4).Draw(t, "rounds") {
			c.pause(true)
			for i := range rapid.SampledFrom([]int{0, 1, 5, fewAwake + 40}).Draw(t, "workers") {
				id := fmt.Sprintf("w%d-%d", round, i)
				c.revision++
				c.x.ApplyWorker(record.Worker{
					ID: id, Name: id, Queue: "q", Tags: some(names, 5), Priority: int(priority.Draw(t, "worker")), Revision: c.revision,
					Worker: workerstate.Worker{State: workerstate.Available},
				}, c.now)
				c.x.Attach(id, nullStream{})
				if rapid.IntRange(0, 3).Draw(t, "matched by itself") == 0 {
					c.pause(false)
					c.match(t, busy)
					c.pause(true)
				}
			}
			for i := range rapid.SampledFrom([]int{1, 10, 60}).Draw(t, "jobs") {
				tags, _ := wire.RequiredTags(some(required, 3))
				c.revision++
				c.x.ApplyJob(record.Job{
					ID: fmt.Sprintf("j%d-%02d", round, i), Queue: "q", Tags: tags, Priority: priority.Draw(t, "job"), Revision: c.revision,
					Job: lifecycle.Job{State: wire.StateQueued},
				}, c.now, c.now)
			}
			freed := rapid.SampledFrom([]int{0, 1, 100}).Draw(t, "freed")
			for _, worker := range slices.Sorted(maps.Keys(busy)) {
				if freed == 0 {
					break
				}
				freed--
				c.revision++
				c.x.ApplyJob(record.Job{
					ID: busy[worker], Queue: "q", Revision: c.revision, Job: lifecycle.Job{State: wire.StateFinished, WorkerID: worker},
				}, c.now, c.now)
				delete(busy, worker)
			}
			c.pause(false)
			c.match(t, busy)
		}
	})
}

func (c *crowded) pause(paused bool) {
	c.revision++
	c.x.ApplyQueuePause(record.QueuePause{Queue: "q", Paused: paused, Revision: c.revision})
}

// match compares the claims of a Match with the plain rule, and stores the assignments.
func (c *crowded) match(t *rapid.T, busy map[string]string) {
	q := c.x.queue("q")
	var want []string
	ready, idle := []*jobEntry{}, q.idle.Items()
	for _, g := range append([]*group{q.plain}, q.waiting...) {
		ready = append(ready, g.ready.Items()...)
	}
	slices.SortFunc(ready, func(a, b *jobEntry) int {
		if readyBefore(a, b) {
			return -1
		}
		return 1
	})
	for _, j := range ready {
		for i, w := range idle {
			if wire.HasTags(w.record.Tags, j.group.required) {
				want = append(want, j.id+" for "+w.record.ID)
				idle = slices.Delete(idle, i, i+1)
				break
			}
		}
	}
	var got []string
	claims := c.x.Match()
	for _, claim := range claims {
		got = append(got, claim.JobID+" for "+claim.WorkerID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("claims %q, want %q", got, want)
	}
	for _, claim := range claims {
		c.revision++
		c.x.ApplyJob(record.Job{
			ID: claim.JobID, Queue: "q", Tags: c.x.jobs[claim.JobID].group.required, Revision: c.revision,
			Job: lifecycle.Job{State: wire.StateAssigned, WorkerID: claim.WorkerID},
		}, c.now, c.now)
		c.x.Release(claim)
		busy[claim.WorkerID] = claim.JobID
	}
}
