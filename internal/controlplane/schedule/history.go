package schedule

import (
	"bytes"
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
// that a list by these looks at no other jobs. A million jobs take about 150 MB.
type history struct {
	jobs    *btree.BTreeG[pastJob]
	classes map[classKey]*class
	// epoch is the moment of this process from which expiry is counted, on its
	// monotonic clock.
	epoch time.Time
}

// pastJob is one job of the history.
type pastJob struct {
	id, worker uuid.UUID
	class      *class
	expires    int64 // seconds after the epoch; 0 is never
}

// classKey is what all jobs of a class have in common.
type classKey struct {
	queue   string
	state   wire.JobState
	outcome lifecycle.Outcome
}

// class is the jobs of one queue with one state and outcome. It exists while it has
// jobs.
type class struct {
	classKey

	ids *btree.BTreeG[uuid.UUID]
}

func newHistory() history {
	return history{jobs: newTree(func(a, b pastJob) bool { return before(a.id, b.id) }), classes: map[classKey]*class{}}
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
	p.worker, _ = uuid.Parse(s.WorkerID) // the zero ID for none
	p.class = h.class(classKey{s.Queue, s.State, s.Outcome})
	if !expires.IsZero() {
		p.expires = max(1, h.seconds(expires))
	}
	old, known := h.jobs.Set(p)
	if known && old.class != p.class {
		h.leave(old)
	}
	if !known || old.class != p.class {
		p.class.ids.Set(p.id)
	}
}

// class returns the class with that key, a new one if there is none.
func (h *history) class(key classKey) *class {
	c := h.classes[key]
	if c == nil {
		c = &class{classKey: key, ids: newTree(before)}
		h.classes[key] = c
	}
	return c
}

// leave takes a job out of its class.
func (h *history) leave(p pastJob) {
	p.class.ids.Delete(p.id)
	if p.class.ids.Len() == 0 {
		delete(h.classes, p.class.classKey)
	}
}

func (h *history) seconds(at time.Time) int64 { return int64(at.Sub(h.epoch) / time.Second) }

func (h *history) has(id string) bool {
	parsed, err := uuid.Parse(id)
	_, ok := h.jobs.Get(pastJob{id: parsed})
	return ok && err == nil
}

func (h *history) drop(id string) {
	if parsed, err := uuid.Parse(id); err == nil {
		h.remove(parsed)
	}
}

func (h *history) remove(id uuid.UUID) {
	if p, known := h.jobs.Delete(pastJob{id: id}); known {
		h.leave(p)
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
		if p.expires != 0 && p.expires < h.seconds(now) {
			expired = append(expired, p.id)
		}
		return true
	})
	for _, id := range expired {
		h.remove(id)
	}
	return next
}
