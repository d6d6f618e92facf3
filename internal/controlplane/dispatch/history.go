package dispatch

import (
	"slices"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// history is every stored job, live or over, as little of it as a list needs to
// find its page: 56 bytes a job, so a million jobs that are kept are 60 MB or so.
// The store orders by the last change and cannot answer "newest first"; the
// records themselves are read for the page alone.
type history struct {
	jobs *btree.BTreeG[pastJob]
}

// pastJob is one job of the history.
type pastJob struct {
	id, worker uuid.UUID
	queue      unique.Handle[string]
	expires    int64 // in seconds since 1970; 0 is never
	state      pastState
}

// pastState is a state in one byte: its place in pastStates.
type pastState uint8

func pastStates() []wire.JobState {
	return []wire.JobState{
		wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning,
		wire.StateFinished, wire.StateCanceled, wire.StateLost,
	}
}

func newHistory() history {
	return history{btree.NewBTreeGOptions(func(a, b pastJob) bool {
		return slices.Compare(a.id[:], b.id[:]) < 0
	}, btree.Options{NoLocks: true})}
}

// put notes where a job stands. A job whose id is not one of ours is left out.
func (h history) put(job store.Job, expires time.Time) {
	id, err := uuid.Parse(job.ID)
	if err != nil {
		return
	}
	p := pastJob{
		id:    id,
		queue: unique.Make(job.Queue),
		state: pastState(max(0, slices.Index(pastStates(), job.State))), //nolint:gosec // at most six
	}
	p.worker, _ = uuid.Parse(job.WorkerID) // none is the zero id
	if !expires.IsZero() {
		p.expires = expires.Unix()
	}
	h.jobs.Set(p)
}

func (h history) has(id string) bool {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return false
	}
	_, ok := h.jobs.Get(pastJob{id: parsed})
	return ok
}

func (h history) drop(id string) {
	if parsed, err := uuid.Parse(id); err == nil {
		h.jobs.Delete(pastJob{id: parsed})
	}
}

// matcher selects from the history.
type matcher struct {
	states map[wire.JobState]bool
	queue  string
	worker uuid.UUID
}

func (m matcher) matches(p pastJob) bool {
	return (len(m.states) == 0 || m.states[pastStates()[p.state]]) &&
		(m.queue == "" || p.queue.Value() == m.queue) &&
		(m.worker == uuid.Nil || p.worker == m.worker)
}

// before gives up to limit ids that match and are older than cursor, newest first.
// It looks at no more than steps jobs, and answers with the last that it looked
// at and whether that was the end.
func (h history) before(cursor uuid.UUID, m matcher, limit, steps int) (ids []string, last uuid.UUID, end bool) {
	end, last = true, cursor
	h.jobs.Descend(pastJob{id: cursor}, func(p pastJob) bool {
		if p.id == cursor {
			return true
		}
		if steps == 0 || len(ids) == limit {
			end = false
			return false
		}
		steps--
		last = p.id
		if m.matches(p) {
			ids = append(ids, p.id.String())
		}
		return true
	})
	return ids, last, end
}

// expire drops what the store has dropped by now. It looks at steps jobs from
// cursor on, and answers with where to go on; the zero id is the beginning again.
func (h history) expire(cursor uuid.UUID, now time.Time, steps int) uuid.UUID {
	var gone []pastJob
	next := uuid.Nil
	h.jobs.Ascend(pastJob{id: cursor}, func(p pastJob) bool {
		if steps == 0 {
			next = p.id
			return false
		}
		steps--
		if p.expires != 0 && p.expires < now.Unix() {
			gone = append(gone, p)
		}
		return true
	})
	for _, p := range gone {
		h.jobs.Delete(p)
	}
	return next
}
