package dispatch

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// index is what this replica knows: live jobs, workers, and who could be given
// what. It does no I/O, has no clock and no lock: the dispatcher calls it under
// its own.
type index struct {
	jobs    map[string]*jobEntry // the live ones
	inHand  map[string]*jobEntry // those of them that belong to a worker
	workers map[string]*workerEntry
	queues  map[string]*queueEntry
	past    history

	// over has the revision of each job that ended, until the watch has come so far:
	// an older record, still on its way, must not bring it back to life.
	over map[string]uint64
	// position is how far the watch has come.
	position uint64
	// retries are the lost jobs whose retry is not known to be stored.
	retries map[string]store.Job
	// followers are told of every change of a job.
	followers map[string][]*follower
	// dirty are the queues in which a job or a worker has become free.
	dirty map[*queueEntry]struct{}
	// idleCount orders idle workers by how long they have been idle.
	idleCount uint64
}

// jobEntry is one live job.
type jobEntry struct {
	id       string
	revision uint64
	state    wire.JobState
	queue    *queueEntry
	priority int32
	workerID string
	// record is the whole record of a job in hand. A queued one is read from the
	// store when it is needed, so that a long queue does not fill the memory.
	record *store.Job
	// claim is set while this replica writes the job's assignment.
	claim *claim
	// since is when this replica first saw the job where it stands.
	since time.Time
	// heard is when the job's token was last used.
	heard time.Time
	// absentFrom and absentTo are the first and the last ping of its worker since
	// then, while it runs.
	absentFrom, absentTo time.Time
	// logEnd is the end of the furthest log piece that this replica stored.
	logEnd uint64
}

// workerEntry is one worker.
type workerEntry struct {
	record store.Worker
	queue  *queueEntry
	feed   *Feed
	// remote is the other replica that last said it has the worker's stream.
	remote string
	jobs   map[string]*jobEntry
	claim  *claim
	seen   time.Time
	// idleAt is its place among the idle workers of its queue, 0 if it is not one.
	idleAt uint64
}

func newIndex() *index {
	return &index{
		jobs:      map[string]*jobEntry{},
		inHand:    map[string]*jobEntry{},
		workers:   map[string]*workerEntry{},
		queues:    map[string]*queueEntry{},
		past:      newHistory(),
		over:      map[string]uint64{},
		retries:   map[string]store.Job{},
		followers: map[string][]*follower{},
		dirty:     map[*queueEntry]struct{}{},
	}
}

// knowsJob reports whether a record of that revision, or a newer one, was applied.
// What the watch has passed was applied, or replaced by something newer.
func (x *index) knowsJob(id string, revision uint64) bool {
	if j := x.jobs[id]; j != nil {
		return j.revision >= revision
	}
	return revision <= max(x.position, x.over[id])
}

// knowsWorker is the same for a worker.
func (x *index) knowsWorker(id string, revision uint64) bool {
	if a := x.workers[id]; a != nil {
		return a.record.Revision >= revision
	}
	return revision <= x.position
}

// reached notes how far the watch has come; what ended until then has been given.
func (x *index) reached(id string, revision uint64) {
	x.position = max(x.position, revision)
	if x.over[id] == revision {
		delete(x.over, id)
	}
}

// applyJob takes a stored record into the index, unless it is older than what is
// there. expires is when a final one will be gone.
func (x *index) applyJob(job store.Job, now, expires time.Time) {
	if x.knowsJob(job.ID, job.Revision) {
		return
	}
	x.past.put(job, expires)
	x.noteRetry(job)
	for _, f := range x.followers[job.ID] {
		f.add(job)
	}
	j := x.jobs[job.ID]
	if job.State.Final() {
		x.over[job.ID] = job.Revision
		if j != nil {
			x.unplace(j)
			j.state, j.revision = job.State, job.Revision
			delete(x.jobs, job.ID)
			j.queue.live--
			x.tidy(j.queue)
		}
		return
	}
	if j == nil {
		j = &jobEntry{id: job.ID, queue: x.queue(job.Queue), priority: job.Priority, since: now, heard: now}
		x.jobs[job.ID] = j
		j.queue.live++
	}
	x.unplace(j)
	if j.state != job.State || j.workerID != job.WorkerID {
		j.since, j.heard = now, now
		j.absentFrom, j.absentTo = time.Time{}, time.Time{}
	}
	j.revision, j.state, j.workerID, j.record = job.Revision, job.State, job.WorkerID, nil
	if job.State.InHand() {
		j.record = &job
	}
	x.place(j)
}

// noteRetry keeps a lost job until its retry is known to be stored.
func (x *index) noteRetry(job store.Job) {
	if job.RetriedBy != "" && !x.past.has(job.RetriedBy) {
		x.retries[job.ID] = job
	}
	if job.RetryOf != "" {
		delete(x.retries, job.RetryOf)
	}
}

// place puts a job where it belongs: among the ready of its queue, or into the
// hands of its worker, who is told of a new offer.
func (x *index) place(j *jobEntry) {
	if !j.state.InHand() {
		x.setReady(j)
		return
	}
	x.inHand[j.id] = j
	a := x.workers[j.workerID]
	if a == nil {
		return
	}
	a.jobs[j.id] = j
	if a.feed != nil && j.state == wire.StateAssigned && standing(a.record).Kind == wire.Resume {
		a.feed.offer(j.id)
	}
	x.setIdle(a)
}

// unplace takes a job from where place put it.
func (x *index) unplace(j *jobEntry) {
	j.queue.ready.Delete(j)
	delete(x.inHand, j.id)
	a := x.workers[j.workerID]
	if a == nil {
		return
	}
	delete(a.jobs, j.id)
	if a.feed != nil {
		a.feed.withdraw(j.id)
	}
	x.setIdle(a)
}

// applyWorker takes a stored record into the index, unless it is older than what
// is there.
func (x *index) applyWorker(worker store.Worker, now time.Time) {
	if x.knowsWorker(worker.ID, worker.Revision) {
		return
	}
	a := x.workers[worker.ID]
	if a == nil {
		a = &workerEntry{jobs: map[string]*jobEntry{}, seen: now, queue: x.queue(worker.Queue)}
		a.record.State = store.WorkerConnected
		x.workers[worker.ID] = a
		a.queue.workers[worker.ID] = a
		for _, j := range x.inHand {
			if j.workerID == worker.ID {
				a.jobs[j.id] = j
			}
		}
	}
	before := a.record
	a.record = worker
	if worker.State == store.WorkerConnected && before.State != store.WorkerConnected {
		a.seen = now
	}
	if worker.State == store.WorkerDisconnected {
		a.remote = ""
	}
	if a.feed != nil && standing(before) != standing(worker) {
		a.feed.stand(standing(worker))
	}
	x.setIdle(a)
}

// forgetWorker drops a worker whose record has expired.
func (x *index) forgetWorker(a *workerEntry) {
	if a.feed != nil {
		a.feed.end(ErrNotFound)
		a.feed = nil
	}
	x.setIdle(a)
	delete(x.workers, a.record.ID)
	delete(a.queue.workers, a.record.ID)
	x.tidy(a.queue)
}

// renew gives everything a full term from now.
func (x *index) renew(now time.Time) {
	for _, a := range x.workers {
		a.seen = now
	}
	for _, j := range x.inHand {
		j.since, j.heard = now, now
		j.absentFrom, j.absentTo = time.Time{}, time.Time{}
	}
}

// hear notes a sign of life of a worker.
func (x *index) hear(workerID string, now time.Time) {
	if a := x.workers[workerID]; a != nil && a.record.State != store.WorkerDisconnected {
		a.seen = now
	}
}

// hearJob notes a use of a job's token: its worker is at work on it.
func (x *index) hearJob(jobID string, now time.Time) {
	j := x.inHand[jobID]
	if j == nil {
		return
	}
	j.heard = now
	j.absentFrom, j.absentTo = time.Time{}, time.Time{}
	x.hear(j.workerID, now)
}

// standing is what a worker is to be told whenever there is nothing else.
func standing(a store.Worker) wire.Instruction {
	switch {
	case a.Stopping:
		return wire.Instruction{Kind: wire.Disconnect, Reason: a.StopReason}
	case a.Paused:
		return wire.Instruction{Kind: wire.Pause, Reason: a.PauseReason}
	}
	return wire.Instruction{Kind: wire.Resume}
}

// absent notes a ping of the worker of a running job.
func (j *jobEntry) absent(now time.Time) {
	if j.absentFrom.IsZero() {
		j.absentFrom = now
	}
	j.absentTo = now
}
