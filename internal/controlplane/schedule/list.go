package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// WorkerFilter selects workers. Empty States selects the connected ones, an empty
// Queue selects all queues.
type WorkerFilter struct {
	States []workerstate.State
	Queue  string
}

// ConnectedStates returns the states of a worker that renews its lease.
func ConnectedStates() []workerstate.State {
	return slices.DeleteFunc(workerstate.States(), func(s workerstate.State) bool { return !s.Connected() })
}

// Worker is a worker's record and what this replica knows of the worker now.
type Worker struct {
	record.Worker

	// Streaming reports whether the worker has a stream to any replica, as far as
	// this one knows.
	Streaming bool
	// JobID is the job that the worker has or is offered; empty if there is none.
	JobID string
	// LastSeenAt is when the worker last gave a sign of life, not before this
	// replica started.
	LastSeenAt time.Time
	// Unheard reports whether it has missed a heartbeat since, or did not accept its last
	// offer: it is offered no job.
	Unheard bool
	// Machine is what its agent last reported.
	Machine Machine
	// MachineChanges are the last changes that its reports show, the newest first. Lists
	// do not have them.
	MachineChanges []MachineChange
}

// View adds what is known of a worker now to its record.
func (x *Index) View(worker record.Worker) Worker {
	v := Worker{Worker: worker}
	w := x.workers[worker.ID]
	if w == nil {
		return v
	}
	v.Streaming = w.stream != nil || w.otherReplica != ""
	v.LastSeenAt, v.Machine = w.seen, w.machine
	v.Unheard = w.quiet || w.trust == suspect && w.record.State.Connected()
	for id, j := range w.jobs {
		if v.JobID == "" || j.state != wire.StateAssigned {
			v.JobID = id
		}
	}
	return v
}

// WorkerPage is one page of a list of workers.
type WorkerPage struct {
	Workers []Worker
	// Next is the token of the next page, empty if this is the last one.
	Next string
	// Total is how many workers there are on all pages, and Earlier how many of them
	// are on the pages before this one.
	Total, Earlier int
}

// Workers returns a page of workers. It fails with a *record.InvalidError for a bad
// page.
func (x *Index) Workers(f WorkerFilter, p Page) (page WorkerPage, err error) {
	size, after, err := p.resolve()
	if err != nil {
		return page, err
	}
	if len(f.States) == 0 {
		f.States = ConnectedStates()
	}
	order := func(a, b string) int { return cmp.Compare(b, a) }
	if p.OldestFirst {
		order = cmp.Compare[string]
	}
	var ids []string
	for id, w := range x.workers {
		if !slices.Contains(f.States, w.record.State) || f.Queue != "" && f.Queue != w.record.Queue {
			continue
		}
		page.Total++
		if p.Token == "" || order(id, after.String()) > 0 {
			ids = append(ids, id)
		}
	}
	page.Earlier = page.Total - len(ids)
	slices.SortFunc(ids, order)
	bytes := 0
	for i, id := range ids {
		if i == size || bytes > MaxPageBytes {
			page.Next = ids[i-1]
			break
		}
		w := x.View(x.workers[id].record)
		bytes += sizeOf(w.Worker)
		page.Workers = append(page.Workers, w)
	}
	return page, nil
}

// sizeOf returns about how many bytes of a worker's record its owner decides.
func sizeOf(w record.Worker) int {
	size := len(w.Name) + len(w.Hostname) + len(w.Version) + len(w.PauseReason) + len(w.StopReason)
	for _, tag := range w.Tags {
		size += len(tag)
	}
	return size
}

// FindWorker returns the ID of the worker that ref names: an ID; a name that only one
// connected worker has, or if none has it only one that is lost or has left; or the
// beginning of an ID. An ID comes before a name that looks like one. It fails with
// record.ErrNotFound, or with a *record.InvalidError for an ambiguous name or beginning.
func (x *Index) FindWorker(ref string) (string, error) {
	if x.workers[ref] != nil {
		return ref, nil
	}
	var ids, gone []string
	for id, w := range x.workers {
		switch {
		case w.record.Name != ref:
		case w.record.State.Connected():
			ids = append(ids, id)
		default:
			gone = append(gone, id)
		}
	}
	switch {
	case len(ids) == 1:
		return ids[0], nil
	case len(ids) == 0 && len(gone) == 1:
		return gone[0], nil
	case len(ids) == 0 && len(gone) > 1:
		return "", record.Invalid("id", "is %q, a name that %d workers had, and none that is connected: use the ID", ref, len(gone))
	case len(ids) > 1:
		return "", record.Invalid("id", "is %q, a name that %d workers have: use the ID", ref, len(ids))
	case uuid.Validate(ref) == nil:
		return ref, nil // its record may be in the store only
	}
	if ids = x.workersWithPrefix(ref); len(ids) > 0 {
		return OneOf(ref, "workers", ids)
	}
	return "", fmt.Errorf("no connected worker is named %q: %w", ref, record.ErrNotFound)
}
