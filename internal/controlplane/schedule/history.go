package schedule

import (
	"slices"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxListSteps bounds how many jobs one call of NextJobs looks at.
	maxListSteps = 5000
	// maxExpirySteps bounds how many jobs one call of Tidy looks at.
	maxExpirySteps = 10_000
)

// history holds every stored job, live or ended, by ID, and of each only what a
// list needs to select it: 56 bytes, so a million jobs take about 60 MB. The store
// orders by the last change and cannot list by age; a list reads the records of
// one page from it.
type history struct {
	jobs *btree.BTreeG[pastJob]
}

// pastJob is one job of the history.
type pastJob struct {
	id, worker uuid.UUID
	queue      unique.Handle[string]
	state      unique.Handle[wire.JobState]
	expires    int64 // Unix time in seconds; 0 is never
}

func newHistory() history {
	return history{btree.NewBTreeGOptions(func(a, b pastJob) bool {
		return slices.Compare(a.id[:], b.id[:]) < 0
	}, btree.Options{NoLocks: true})}
}

// put stores what a list needs of a job. A job whose ID is not a UUID is left out.
func (h history) put(job store.Job, expires time.Time) {
	id, err := uuid.Parse(job.ID)
	if err != nil {
		return
	}
	p := pastJob{id: id, queue: unique.Make(job.Queue), state: unique.Make(job.State)}
	p.worker, _ = uuid.Parse(job.WorkerID) // the zero ID for none
	if !expires.IsZero() {
		p.expires = expires.Unix()
	}
	h.jobs.Set(p)
}

func (h history) has(id string) bool {
	parsed, err := uuid.Parse(id)
	_, ok := h.jobs.Get(pastJob{id: parsed})
	return ok && err == nil
}

func (h history) drop(id string) {
	if parsed, err := uuid.Parse(id); err == nil {
		h.jobs.Delete(pastJob{id: parsed})
	}
}

// expire drops the jobs that the store has dropped. It looks at up to steps jobs
// from cursor on, and returns where to continue; the zero ID is the beginning.
func (h history) expire(cursor uuid.UUID, now time.Time, steps int) uuid.UUID {
	var expired []pastJob
	next := uuid.Nil
	h.jobs.Ascend(pastJob{id: cursor}, func(p pastJob) bool {
		if steps == 0 {
			next = p.id
			return false
		}
		steps--
		if p.expires != 0 && p.expires < now.Unix() {
			expired = append(expired, p)
		}
		return true
	})
	for _, p := range expired {
		h.jobs.Delete(p)
	}
	return next
}
