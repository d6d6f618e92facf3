package schedule

import (
	"cmp"
	"time"

	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// queueEntry is one queue: its ready jobs, best first, and its workers.
type queueEntry struct {
	name    string
	idle    *btree.BTreeG[*workerEntry]
	workers map[string]*workerEntry
	live    int // live jobs of the queue, in any state
	// plain are the jobs that require no tags, groups the others, by what they require.
	plain  *group
	groups map[string]*group
	tags   map[tagKey]*tagEntry
	// waiting are the groups with ready jobs. unserved are those that no connected worker can
	// serve, and served the others, by their best jobs; unmatched is how many ready jobs the
	// former have. They are looked at from next on where that can have changed: see
	// checkUnserved.
	waiting          []*group
	unserved, served *btree.BTreeG[*group]
	unmatched, next  int
	// woken are the groups, and awake the workers, that the next Match looks at, or the first
	// one after a pause.
	woken map[*group]struct{}
	awake map[*workerEntry]struct{}
	// usedSets is how many groups have live jobs, usedBytes about what these take.
	usedSets, usedBytes int
	// counts are the workers in each condition, unresponsive those of that one.
	counts       [conditionCount]int
	unresponsive map[*workerEntry]struct{}
	// byNumber are the workers by their numbers, which members have. inCondition are those in
	// each condition, connected those that are connected, and idleMembers those in idle.
	byNumber               []*workerEntry
	freeNumbers            []int
	inCondition            [conditionCount]members
	connected, idleMembers members
	// version grows when a worker connects or leaves, and checked is that at which all groups
	// were looked at.
	version, checked uint64
	scratch          members // of choosePlace
	fewWorkers       int     // see few
}

// Claim holds a job and a worker for each other while the assignment is written.
// The caller must end it with Release, with Postpone if the write failed, or with
// Abandon if it does not know whether the write took effect.
type Claim struct {
	// JobID is the claimed job; empty for a job that is about to be created.
	JobID string
	// WorkerID and WorkerName name the claimed worker.
	WorkerID, WorkerName string
	// Polled is set for a claim that a ping made, else the worker has a stream.
	Polled bool
	// FreeSince is what made the worker free, for people; empty if it was free before
	// this replica knew it.
	FreeSince string

	job    *jobEntry
	worker *workerEntry
	done   chan struct{}
}

// queue returns the queue of that name, a new one if there is none.
func (x *Index) queue(name string) *queueEntry {
	q := x.queues[name]
	if q == nil {
		q = &queueEntry{
			name: name, idle: newIdle(), fewWorkers: x.fewWorkers,
			groups: map[string]*group{}, tags: map[tagKey]*tagEntry{}, woken: map[*group]struct{}{}, awake: map[*workerEntry]struct{}{},
			served: newGroups(), unserved: newGroups(),
			workers: map[string]*workerEntry{}, unresponsive: map[*workerEntry]struct{}{},
		}
		q.plain = newGroup(q, nil)
		x.queues[name] = q
	}
	return q
}

// newIdle returns an empty tree of idle workers, best first.
func newIdle() *btree.BTreeG[*workerEntry] {
	return btree.NewBTreeGOptions(idleBefore, btree.Options{NoLocks: true})
}

// dropIfUnused drops a queue without live jobs and workers.
func (x *Index) dropIfUnused(q *queueEntry) {
	if q.live == 0 && len(q.workers) == 0 {
		for _, g := range q.groups {
			x.dropGroup(g)
		}
		delete(x.queues, q.name)
		delete(x.changed, q)
	}
}

// readyBefore orders ready jobs: by priority, then by age. IDs sort by age.
func readyBefore(a, b *jobEntry) bool {
	if a.priority != b.priority {
		return a.priority > b.priority
	}
	return a.id < b.id
}

// idleBefore orders idle workers: those that may not respond last, then by priority,
// then the longest idle first.
func idleBefore(a, b *workerEntry) bool {
	return cmp.Or(
		cmp.Compare(a.doubt(), b.doubt()),
		-cmp.Compare(a.record.Priority, b.record.Priority),
		cmp.Compare(a.idleRank, b.idleRank),
	) < 0
}

// setReady puts a job among the ready jobs of its queue if it can be assigned.
func (x *Index) setReady(j *jobEntry) {
	if _, postponed := x.postponed[j]; postponed || j.state != wire.StateQueued || j.claim != nil || x.jobs[j.id] != j {
		return
	}
	j.group.add(j)
	x.changed[j.group.queue] = struct{}{}
	if len(j.group.tags) > 0 {
		j.group.queue.woken[j.group] = struct{}{}
	}
}

// free reports whether a worker can be given a job.
func (w *workerEntry) free() bool {
	return w.record.MayBeAssigned() && len(w.jobs) == 0 && w.claim == nil
}

// setIdle updates whether a worker is among the idle workers of its queue: those
// that are free and have a stream on this replica which may deliver an offer.
func (x *Index) setIdle(w *workerEntry) {
	w.count()
	idle := w.free() && w.stream != nil && w.trust != suspect
	switch {
	case idle && w.idleRank == 0:
		x.idleCount++
		w.idleRank = x.idleCount
		w.joinIdle()
		x.wake(w)
	case !idle && w.idleRank != 0:
		w.leaveIdle()
	}
}

// Match claims an idle worker for each ready job of the queues that are not paused, as
// long as there is one that has the tags which the job requires.
func (x *Index) Match() []*Claim {
	if x.closed {
		return nil
	}
	var claims []*Claim
	for q := range x.changed {
		if !x.paused(q) {
			claims = x.matchQueue(q, claims)
		}
		delete(x.changed, q)
	}
	return claims
}

// ClaimIdle claims an idle worker for a job that is about to be stored in a queue and
// requires tags, which are in order and each once. It returns nil if no idle worker has
// them, if a ready job comes first, or the queue is paused.
func (x *Index) ClaimIdle(queue string, required []string) *Claim {
	q := x.queues[queue]
	if x.closed || q == nil || x.paused(q) || q.idle.Len() == 0 {
		return nil
	}
	g := x.group(queue, required)
	if g.ready.Len() > 0 {
		return nil
	}
	w := x.bestIdle(g)
	if w == nil || w.bestReady() != nil {
		return nil
	}
	return x.claim(nil, w)
}

// claimReady claims the best ready job for a worker that polls, if it is free.
func (x *Index) claimReady(w *workerEntry) *Claim {
	if x.closed || x.paused(w.queue) || !w.free() {
		return nil
	}
	j := w.bestReady()
	if j == nil {
		return nil
	}
	c := x.claim(j, w)
	c.Polled = true
	return c
}

func (x *Index) claim(j *jobEntry, w *workerEntry) *Claim {
	c := &Claim{
		WorkerID: w.record.ID, WorkerName: w.record.Name, FreeSince: w.freeSince,
		job: j, worker: w, done: make(chan struct{}),
	}
	if j != nil {
		c.JobID = j.id
		j.group.remove(j)
		j.claim = c
	}
	w.claim = c
	x.setIdle(w)
	return c
}

// Release ends a claim, after the record that was written was applied.
func (x *Index) Release(c *Claim) {
	if j := c.job; j != nil {
		j.claim = nil
		x.setReady(j)
	}
	c.worker.claim = nil
	if x.workers[c.WorkerID] == c.worker {
		x.setIdle(c.worker)
	}
	close(c.done)
}

// Postpone is Release after a failed write: the job is not claimed again before a
// Tidy at retry or later, so that it does not keep workers from other jobs.
func (x *Index) Postpone(c *Claim, retry time.Time) {
	if c.job != nil {
		x.postponed[c.job] = retry
	}
	x.Release(c)
}

// Abandon is Postpone if it is not known whether the write took effect. The claim
// ends with the next Tidy: by then the watch has brought the record, if it did.
func (x *Index) Abandon(c *Claim, retry time.Time) {
	if c.job != nil {
		x.postponed[c.job] = retry
	}
	x.unsettled = append(x.unsettled, c)
}

// resume makes postponed jobs ready again whose time has come.
func (x *Index) resume(now time.Time) {
	for j, retry := range x.postponed {
		if live := x.jobs[j.id] == j; !live || !now.Before(retry) {
			delete(x.postponed, j)
			x.setReady(j)
		}
	}
}
