package dispatch

import (
	"cmp"

	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// queueEntry is one queue: the jobs that wait in it, the best first, and the
// workers that serve it.
type queueEntry struct {
	name    string
	ready   *btree.BTreeG[*jobEntry]
	idle    *btree.BTreeG[*workerEntry]
	workers map[string]*workerEntry
	// live counts the live jobs that came from here.
	live int
}

// claim is a job and a worker held for each other while the assignment is
// written. job is nil while the job itself is being written for the first time.
type claim struct {
	job    *jobEntry
	worker *workerEntry
	done   chan struct{}
}

// queue finds or makes a queue.
func (x *index) queue(name string) *queueEntry {
	q := x.queues[name]
	if q == nil {
		unlocked := btree.Options{NoLocks: true}
		q = &queueEntry{
			name:    name,
			ready:   btree.NewBTreeGOptions(readyBefore, unlocked),
			idle:    btree.NewBTreeGOptions(idleBefore, unlocked),
			workers: map[string]*workerEntry{},
		}
		x.queues[name] = q
	}
	return q
}

// tidy drops a queue that nobody is in.
func (x *index) tidy(q *queueEntry) {
	if q.live == 0 && len(q.workers) == 0 {
		delete(x.queues, q.name)
		delete(x.dirty, q)
	}
}

// readyBefore: priority first, then age; ids sort by age.
func readyBefore(a, b *jobEntry) bool {
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	return a.id < b.id
}

// idleBefore: priority first, then the longest idle, so that a worker that let an
// offer lapse is asked last.
func idleBefore(a, b *workerEntry) bool {
	return cmp.Or(
		-cmp.Compare(a.record.Priority, b.record.Priority),
		cmp.Compare(a.idleAt, b.idleAt),
	) < 0
}

// setReady has a job among the ready of its queue if it is to be given out.
func (x *index) setReady(j *jobEntry) {
	if j.state != wire.StateQueued || j.claim != nil || x.jobs[j.id] != j {
		return
	}
	j.queue.ready.Set(j)
	x.dirty[j.queue] = struct{}{}
}

// free reports whether a worker may be given a job.
func (a *workerEntry) free() bool {
	return a.record.State == store.WorkerConnected && !a.record.Paused && !a.record.Stopping &&
		!a.record.IgnoreInDispatches && len(a.jobs) == 0 && a.claim == nil
}

// setIdle has a worker among the idle of its queue if it is free and has a
// stream here to be given a job on.
func (x *index) setIdle(a *workerEntry) {
	idle := a.free() && a.feed != nil
	switch {
	case idle && a.idleAt == 0:
		x.idleCount++
		a.idleAt = x.idleCount
		a.queue.idle.Set(a)
		x.dirty[a.queue] = struct{}{}
	case !idle && a.idleAt != 0:
		a.queue.idle.Delete(a)
		a.idleAt = 0
	}
}

// match claims a worker for each ready job, as long as there are both.
func (x *index) match() []*claim {
	var claims []*claim
	for q := range x.dirty {
		for {
			j, ready := q.ready.Min()
			a, idle := q.idle.Min()
			if !ready || !idle {
				break
			}
			claims = append(claims, x.claim(j, a))
		}
		delete(x.dirty, q)
	}
	return claims
}

// claimIdle claims a worker for a job about to be stored in a queue, unless there
// is none or jobs are waiting already.
func (x *index) claimIdle(queue string) *claim {
	q := x.queues[queue]
	if q == nil || q.ready.Len() > 0 {
		return nil
	}
	a, idle := q.idle.Min()
	if !idle {
		return nil
	}
	return x.claim(nil, a)
}

// claimReady claims the best ready job for a worker that asks, if it is free.
func (x *index) claimReady(a *workerEntry) *claim {
	if !a.free() {
		return nil
	}
	j, ready := a.queue.ready.Min()
	if !ready {
		return nil
	}
	return x.claim(j, a)
}

func (x *index) claim(j *jobEntry, a *workerEntry) *claim {
	c := &claim{job: j, worker: a, done: make(chan struct{})}
	if j != nil {
		j.queue.ready.Delete(j)
		j.claim = c
	}
	a.claim = c
	x.setIdle(a)
	return c
}

// release ends a claim, after what was written was applied.
func (x *index) release(c *claim) {
	if j := c.job; j != nil {
		j.claim = nil
		x.setReady(j)
	}
	c.worker.claim = nil
	if x.workers[c.worker.record.ID] == c.worker {
		x.setIdle(c.worker)
	}
	close(c.done)
}
