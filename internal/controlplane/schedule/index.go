package schedule

import (
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// endedAge is for how long a replica remembers the end of a job that was live on it, so
// that it notices when a read returns an older record.
const endedAge = time.Minute

// Index is what a replica knows of live jobs and of workers. It must not be used
// concurrently.
type Index struct {
	jobs     map[string]*jobEntry // live jobs
	inHand   map[string]*jobEntry // the live jobs that belong to a worker
	workers  map[string]*workerEntry
	contacts contacts
	queues   map[string]*queueEntry
	history  history
	// pauses are the pauses of queues, and their ends, by the name of the queue.
	pauses map[string]record.QueuePause

	// ended are the jobs that ended, until the watch has reached their end: an older
	// record, still to come, must not revive the job. Those that were live on this
	// replica are kept for endedAge.
	ended map[string]ending
	// position is the revision that the watch has reached.
	position uint64
	// pending are the jobs with effects that are not recorded as done.
	pending map[string]record.Job
	// unsettled are claims of which it is not known whether the write took effect.
	unsettled []*Claim
	// postponed are jobs that could not be assigned, and when to try again.
	postponed map[*jobEntry]time.Time
	// kept is what the kept records of queued jobs take, in bytes.
	kept int
	// changed are the queues in which a job or worker became free.
	changed map[*queueEntry]struct{}
	// expiry is the job at which the next Tidy continues to drop expired jobs.
	expiry uuid.UUID

	// unused are the groups without live jobs. groupBytes is about what all groups take;
	// usedSets and usedBytes are the number and the bytes of those with live jobs, and
	// tagsRefused is how many jobs CheckTags has refused.
	unused              map[*group]struct{}
	groupBytes          int
	usedSets, usedBytes int
	tagsRefused         int

	fewWorkers  int // are the constants, but in tests
	maxTagSets  int
	matching    uint64 // numbers those that look at many groups
	closed      bool   // no claims are made any more
	noStreams   error  // with which every stream ends; nil before the end
	idleCount   uint64 // orders idle workers by the time since they are idle
	streamCount uint64 // numbers the streams
}

// jobEntry is one live job.
type jobEntry struct {
	id       string
	revision uint64
	state    wire.JobState
	group    *group
	priority int32
	workerID string
	// record is the whole record, always that of a job in hand; nil for most jobs of a
	// long queue, which would fill the memory. kept is its part of Index.kept, in bytes.
	record *record.Job
	kept   int
	// claim is set while this replica writes the job's assignment.
	claim *Claim
	// since is when this replica first saw the job in its state.
	since time.Time
	// started is when this replica first saw the job running.
	started time.Time
	// reported is when the job's token was last used, held when an agent last named
	// the job among those that it holds.
	reported, held time.Time
	// firstPing and lastPing are the first and the last ping of the job's worker
	// since then. A worker sends no pings while it runs a job.
	firstPing, lastPing time.Time
	// route is how this replica offered it to its worker.
	route Route
	// log is how far the log chunks reach that this replica has stored, or has found.
	log logstate.Reach
}

// New returns an empty index.
func New() *Index {
	return &Index{
		jobs:      map[string]*jobEntry{},
		inHand:    map[string]*jobEntry{},
		workers:   map[string]*workerEntry{},
		contacts:  newContacts(),
		queues:    map[string]*queueEntry{},
		history:   newHistory(),
		pauses:    map[string]record.QueuePause{},
		ended:     map[string]ending{},
		pending:   map[string]record.Job{},
		postponed: map[*jobEntry]time.Time{},
		changed:   map[*queueEntry]struct{}{},
		unused:    map[*group]struct{}{}, fewWorkers: fewWorkers, maxTagSets: MaxTagSets,
	}
}

// Job returns the record of a job that belongs to a worker.
func (x *Index) Job(id string) (record.Job, bool) {
	if j := x.inHand[id]; j != nil {
		return *j.record, true
	}
	return record.Job{}, false
}

// ApplyJob takes a stored record into the index and reports whether it was news:
// false for a revision that is not newer than the known one. expires is when this
// index drops a final record, after the store.
func (x *Index) ApplyJob(job record.Job, now, expires time.Time) bool {
	if x.KnowsJob(job.ID, job.Revision) {
		return false
	}
	x.history.put(job.Summary(), now, expires)
	x.noteEffects(job)
	j := x.jobs[job.ID]
	if job.State.Final() {
		end := ending{revision: job.Revision, at: x.ended[job.ID].at}
		if j != nil {
			end.at = now
			x.freed(j, "its job "+j.id+" ended", jobHasEnded)
		}
		x.ended[job.ID] = end
		if j != nil {
			j.revision = job.Revision
			x.drop(j, job.State)
		}
		return true
	}
	if j == nil {
		j = &jobEntry{id: job.ID, group: x.group(job.Queue, job.Tags), priority: job.Priority}
		x.jobs[job.ID] = j
		x.enter(j.group)
	}
	x.unplace(j)
	if j.state != job.State || j.workerID != job.WorkerID {
		x.noteAnswer(j, &job)
		j.renew(now)
		j.started, j.route = now, Route{}
	}
	j.revision, j.state, j.workerID = job.Revision, job.State, job.WorkerID
	x.keep(j, job)
	x.place(j)
	return true
}

// freed records why the worker of a job becomes free, and what happened to its job.
func (x *Index) freed(j *jobEntry, why, what string) {
	if w := x.workers[j.workerID]; w != nil {
		w.freeSince = why
		w.changed(happening{what, j.id})
	}
}

// noteAnswer records what the next record of a job tells of the worker that it was on
// offer to: it accepted the job, or did not in time.
func (x *Index) noteAnswer(j *jobEntry, next *record.Job) {
	if j.workerID != "" && next.WorkerID == "" {
		x.freed(j, "", jobWithdrawn)
	}
	w := x.workers[cmp.Or(next.WorkerID, j.workerID)]
	if w != nil && next.WorkerID != "" {
		w.history.since = happening{givenJob, j.id}
	}
	switch {
	case w == nil:
	case next.State == wire.StateAccepted || next.State == wire.StateRunning:
		x.setTrust(w, trusted, w.quiet)
	case j.state == wire.StateAssigned && next.History.Last().Event == lifecycle.NotAccepted.String():
		x.setTrust(w, suspect, w.quiet)
	}
}

// ApplyEnded takes the summary of a job that has ended and is not retried into the
// index, in place of its record, as the store delivers it. It reports false, and does
// nothing, if the index needs the record: the job was live so far.
func (x *Index) ApplyEnded(s record.Summary, now, expires time.Time) bool {
	if x.jobs[s.ID] != nil {
		return false
	}
	if !x.KnowsJob(s.ID, s.Revision) {
		x.history.put(s, now, expires)
	}
	return true
}

// ForgetJob drops a live job whose record is gone: someone deleted it by hand.
func (x *Index) ForgetJob(id string) {
	if j := x.jobs[id]; j != nil {
		x.drop(j, wire.StateLost)
		x.history.drop(id)
	}
}

// ForgetPast drops a job that has ended from the lists: the store has dropped it.
func (x *Index) ForgetPast(id string) {
	if x.jobs[id] == nil {
		x.history.drop(id)
	}
}

// drop removes a job that is no longer live. A claim may still point to it, so
// its state is set too.
func (x *Index) drop(j *jobEntry, state wire.JobState) {
	x.unplace(j)
	x.discard(j)
	j.state = state
	delete(x.jobs, j.id)
	x.leave(j.group)
}

// place puts a job among the ready jobs of its queue, or to its worker, whose
// stream receives a new offer.
func (x *Index) place(j *jobEntry) {
	if !j.state.InHand() {
		x.setReady(j)
		return
	}
	x.inHand[j.id] = j
	w := x.workers[j.workerID]
	if w == nil {
		return
	}
	w.jobs[j.id] = j
	if w.stream != nil && j.state == wire.StateAssigned && standing(w.record).Kind == wire.Resume {
		w.stream.Offer(j.id)
		j.route.Stream = true
	}
	x.setIdle(w)
}

// unplace undoes place.
func (x *Index) unplace(j *jobEntry) {
	j.group.remove(j)
	delete(x.inHand, j.id)
	w := x.workers[j.workerID]
	if w == nil {
		return
	}
	delete(w.jobs, j.id)
	if w.stream != nil {
		w.stream.Withdraw(j.id)
	}
	x.setIdle(w)
}

// Tidy drops what the index no longer needs: workers that this replica saw leave
// longer than workerRetention ago, expired jobs, and claims that were left unsettled. It
// looks at a bounded number of expired jobs.
func (x *Index) Tidy(now time.Time, workerRetention time.Duration) {
	for _, c := range x.unsettled {
		x.Release(c)
	}
	x.unsettled = nil
	x.resume(now)
	for id, end := range x.ended {
		if end.revision <= x.position && now.Sub(end.at) > endedAge {
			delete(x.ended, id)
		}
	}
	x.tidyWorkers(now, workerRetention)
	x.tidyGroups(now)
	checks := maxChecks
	for _, q := range x.queues {
		checks = q.checkUnserved(checks)
	}
	x.tidyPauses()
	x.expiry = x.history.expire(x.expiry, now, maxExpirySteps)
}

// AddLog records that more of the log of a job in hand was stored.
func (x *Index) AddLog(jobID string, more logstate.Reach) {
	if j := x.inHand[jobID]; j != nil {
		j.log = j.log.With(more)
	}
}

// LogReach returns how far the chunks reach that this replica knows of a live job.
func (x *Index) LogReach(jobID string) logstate.Reach {
	if j := x.jobs[jobID]; j != nil {
		return j.log
	}
	return logstate.Reach{}
}
