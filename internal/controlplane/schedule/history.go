package schedule

import (
	"slices"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxListSteps bounds how many jobs one call of NextJobs looks at.
	maxListSteps = 5000
	// maxExpirySteps bounds how many jobs one call of Tidy looks at.
	maxExpirySteps = 10_000
)

// history holds every stored job, live or ended, by ID, and of each only what a
// list needs to select it: 64 bytes, so a million jobs take about 70 MB. The store
// orders by the last change and cannot list by age; a list reads the records of
// one page from it.
type history struct {
	jobs *btree.BTreeG[pastJob]
	// epoch is the moment of this process from which expiry is counted, on its
	// monotonic clock.
	epoch time.Time
}

// pastJob is one job of the history.
type pastJob struct {
	id, worker uuid.UUID
	queue      unique.Handle[string]
	state      unique.Handle[wire.JobState]
	outcome    unique.Handle[lifecycle.Outcome]
	expires    int64 // seconds after the epoch; 0 is never
}

func newHistory() history {
	return history{jobs: btree.NewBTreeGOptions(func(a, b pastJob) bool {
		return slices.Compare(a.id[:], b.id[:]) < 0
	}, btree.Options{NoLocks: true})}
}

// past returns what a list needs of a job; the ID is the zero one for a job whose
// ID is not a UUID.
func past(job record.Job) pastJob {
	p := pastJob{queue: unique.Make(job.Queue), state: unique.Make(job.State), outcome: unique.Make(job.Outcome())}
	p.id, _ = uuid.Parse(job.ID)
	p.worker, _ = uuid.Parse(job.WorkerID) // the zero ID for none
	return p
}

// put stores what a list needs of a job, until expires if that is not zero. A job
// whose ID is not a UUID is left out.
func (h *history) put(job record.Job, now, expires time.Time) {
	if h.epoch.IsZero() {
		h.epoch = now
	}
	p := past(job)
	if p.id == uuid.Nil {
		return
	}
	if !expires.IsZero() {
		p.expires = max(1, h.seconds(expires))
	}
	h.jobs.Set(p)
}

func (h *history) seconds(at time.Time) int64 { return int64(at.Sub(h.epoch) / time.Second) }

func (h *history) has(id string) bool {
	parsed, err := uuid.Parse(id)
	_, ok := h.jobs.Get(pastJob{id: parsed})
	return ok && err == nil
}

func (h *history) drop(id string) {
	if parsed, err := uuid.Parse(id); err == nil {
		h.jobs.Delete(pastJob{id: parsed})
	}
}

// expire drops the jobs that the store has dropped. It looks at up to steps jobs
// from cursor on, and returns where to continue; the zero ID is the beginning.
func (h *history) expire(cursor uuid.UUID, now time.Time, steps int) uuid.UUID {
	var expired []pastJob
	next := uuid.Nil
	h.jobs.Ascend(pastJob{id: cursor}, func(p pastJob) bool {
		if steps == 0 {
			next = p.id
			return false
		}
		steps--
		if p.expires != 0 && p.expires < h.seconds(now) {
			expired = append(expired, p)
		}
		return true
	})
	for _, p := range expired {
		h.jobs.Delete(p)
	}
	return next
}
