package schedule

import (
	"bytes"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxListSteps bounds how many jobs one call of NextJobs or Count looks at.
	maxListSteps = 5000
	// maxExpirySteps bounds how many jobs one call of Tidy looks at.
	maxExpirySteps = 10_000
	// treeDegree is the least number of children of a node. It is small because jobs
	// come nearly in the order of their IDs, which leaves nodes half full.
	treeDegree = 32
)

// history holds every stored job, live or ended, and of each only what a list needs
// to select it; a list reads the records of one page from the store. A job is in
// jobs by its ID, and its ID is in the one class of its queue, state and outcome, so
// that a list by these looks at no other jobs. The trees have no pointers beside
// their own, which spares the garbage collector. A million jobs take about 85 MB.
type history struct {
	jobs    *btree.BTreeG[pastJob]
	classes numbers[classKey]
	workers numbers[uuid.UUID]
	// ids are the jobs of each class, by the number of the class.
	ids []*btree.BTreeG[uuid.UUID]
	// epoch is the moment of this process from which expiry is counted, on its
	// monotonic clock.
	epoch time.Time
}

// pastJob is one job of the history.
type pastJob struct {
	id            uuid.UUID
	worker, class uint32 // the numbers of its worker, of the zero ID for none, and its class
	expires       uint32 // seconds after the epoch; 0 is never
}

// classKey is what all jobs of a class have in common.
type classKey struct {
	queue   string
	state   wire.JobState
	outcome lifecycle.Outcome
}

func newHistory() history {
	return history{
		jobs:    newTree(func(a, b pastJob) bool { return before(a.id, b.id) }),
		classes: newNumbers[classKey](), workers: newNumbers[uuid.UUID](),
	}
}

// newTree returns an empty tree. The index has its own lock.
func newTree[T any](less func(a, b T) bool) *btree.BTreeG[T] {
	return btree.NewBTreeGOptions(less, btree.Options{NoLocks: true, Degree: treeDegree})
}

// before reports whether an ID is older than another one.
func before(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }

// put stores what a list needs of a job, until expires if that is not zero. A job
// whose ID is not a UUID is left out.
func (h *history) put(s record.Summary, now, expires time.Time) {
	if h.epoch.IsZero() {
		h.epoch = now
	}
	p := pastJob{}
	if p.id, _ = uuid.Parse(s.ID); p.id == uuid.Nil {
		return
	}
	worker, _ := uuid.Parse(s.WorkerID) // the zero ID for none
	p.worker = h.workers.use(worker)
	p.class = h.classes.use(classKey{s.Queue, s.State, s.Outcome})
	if !expires.IsZero() {
		p.expires = uint32(min(max(1, h.seconds(expires)), math.MaxUint32))
	}
	if int(p.class) == len(h.ids) {
		h.ids = append(h.ids, newTree(before))
	}
	old, known := h.jobs.Set(p)
	h.ids[p.class].Set(p.id)
	if known {
		if old.class != p.class {
			h.ids[old.class].Delete(p.id)
		}
		h.forget(old)
	}
}

// forget ends the uses of the numbers of a job.
func (h *history) forget(p pastJob) {
	h.classes.release(p.class)
	h.workers.release(p.worker)
}

func (h *history) seconds(at time.Time) int64 { return int64(at.Sub(h.epoch) / time.Second) }

func (h *history) drop(id string) {
	if parsed, err := uuid.Parse(id); err == nil {
		h.remove(parsed)
	}
}

func (h *history) remove(id uuid.UUID) {
	if p, known := h.jobs.Delete(pastJob{id: id}); known {
		h.ids[p.class].Delete(p.id)
		h.forget(p)
	}
}

// expire drops the jobs that the store has dropped. It looks at up to steps jobs
// from cursor on, and returns where to continue; the zero ID is the beginning.
func (h *history) expire(cursor uuid.UUID, now time.Time, steps int) uuid.UUID {
	var expired []uuid.UUID
	next := uuid.Nil
	h.jobs.Ascend(pastJob{id: cursor}, func(p pastJob) bool {
		if steps == 0 {
			next = p.id
			return false
		}
		steps--
		if p.expires != 0 && int64(p.expires) < h.seconds(now) {
			expired = append(expired, p.id)
		}
		return true
	})
	for _, id := range expired {
		h.remove(id)
	}
	return next
}
