package schedule

import (
	"container/list"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// workerEntry is one worker.
type workerEntry struct {
	record record.Worker
	queue  *queueEntry
	number int         // in the queue: see members
	tags   []*tagEntry // by which it is found
	jobs   map[string]*jobEntry
	claim  *Claim
	// machine is what its agent last reported of its machine.
	machine Machine
	history machineHistory
	// seen is when the worker last gave a sign of life. away is set if it is not connected,
	// and left is when this replica saw that. turn is its place in an order of silence.
	seen, left time.Time
	away       bool
	turn       *list.Element
	// pauseSeen is when this replica saw the pause begin that ends by itself.
	pauseSeen time.Time
	// idleRank is its place among the idle workers of its queue; 0 if not idle.
	idleRank uint64

	// trust is what is known of its stream, quiet that nothing was received from it for
	// a while. counted is its condition in the counts of its queue.
	trust   trust
	quiet   bool
	counted condition
	// freeSince is what last made it free, for people.
	freeSince string

	// stream is the worker's stream on this replica, nil if there is none.
	// announced is set once the other replicas know of it.
	stream       Stream
	streamNumber uint64
	announced    bool
	// streamEpoch ranks the stream: see Announcement. epoch is the highest one of the
	// worker's streams, here and elsewhere. raised is set if the stream was ranked higher
	// after its announcement was sent.
	epoch, streamEpoch uint64
	raised             bool
	// otherReplica is the replica that last said that it has the worker's stream.
	otherReplica string
}

// Worker returns the record of a worker.
func (x *Index) Worker(id string) (record.Worker, bool) {
	if w := x.workers[id]; w != nil {
		return w.record, true
	}
	return record.Worker{}, false
}

// Session returns the session of a worker.
func (x *Index) Session(id string) (record.Session, bool) {
	if w := x.workers[id]; w != nil {
		return w.record.Session(), true
	}
	return record.Session{}, false
}

// ApplyWorker takes a stored record into the index, unless a newer one is known.
func (x *Index) ApplyWorker(worker record.Worker, now time.Time) {
	if x.KnowsWorker(worker.ID, worker.Revision) {
		return
	}
	w := x.workers[worker.ID]
	if w == nil {
		w = &workerEntry{jobs: map[string]*jobEntry{}, seen: now, queue: x.queue(worker.Queue)}
		x.workers[worker.ID] = w
		w.queue.join(worker.ID, w)
		w.queue.addTags(w, worker.Tags)
		for _, j := range x.inHand {
			if j.workerID == worker.ID {
				w.jobs[j.id] = j
			}
		}
	}
	before := w.record
	w.record = worker
	x.applied(w, now)
	if !before.PausedAt.Equal(worker.PausedAt) {
		w.pauseSeen = now
	}
	if worker.State == workerstate.Left {
		w.otherReplica = ""
	}
	if w.stream != nil && standing(before) != standing(worker) {
		w.stream.SetStanding(standing(worker))
	}
	switch {
	case worker.State != workerstate.Available:
	case before.State == workerstate.Paused:
		w.freeSince = "it was resumed"
	case before.State == workerstate.Lost:
		w.freeSince = "it connected again"
	}
	if worker.Revoked && w.stream != nil {
		w.stream.End(&record.RevokedError{Reason: worker.StopReason})
		w.stream = nil
	}
	x.setIdle(w)
}

// ForgetWorker drops a worker whose record has expired.
func (x *Index) ForgetWorker(id string) {
	w := x.workers[id]
	if w == nil {
		return
	}
	if w.stream != nil {
		w.stream.End(record.ErrNotFound)
		w.stream = nil
	}
	x.setIdle(w)
	w.discount()
	w.setConnected(false)
	x.contacts.forget(w)
	delete(x.workers, id)
	w.queue.removeTags(w)
	w.queue.leave(id, w)
	x.dropIfUnused(w.queue)
}
