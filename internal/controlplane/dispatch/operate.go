package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Pause tells a worker, named by its id or by a name that only one connected
// worker has, to take no work. What is on offer to it goes back to the queue.
// Idempotent; a new reason replaces the old. ErrNotFound, ErrInvalid (reason, or
// an ambiguous name), and ErrWrongState for one that has left.
func (d *Dispatcher) Pause(ctx context.Context, worker, reason string) (Worker, error) {
	if err := checkReason(reason, true); err != nil {
		return Worker{}, err
	}
	return d.operate(ctx, worker, "worker paused", func(a *store.Worker) error {
		if a.Paused && a.PauseReason == reason {
			return errKeep
		}
		a.Paused, a.PauseReason = true, reason
		return nil
	})
}

// Resume lets a paused worker take work again. Idempotent. Errors as for Pause.
func (d *Dispatcher) Resume(ctx context.Context, worker string) (Worker, error) {
	return d.operate(ctx, worker, "worker resumed", func(a *store.Worker) error {
		if !a.Paused {
			return errKeep
		}
		a.Paused, a.PauseReason = false, ""
		return nil
	})
}

// Stop tells a worker to finish what it runs and to leave; with force its
// running job is cancelled, and one that it has not started goes back to the
// queue. Idempotent; force may be added later. Errors as for Pause.
func (d *Dispatcher) Stop(ctx context.Context, worker string, force bool, reason string) (Worker, error) {
	if err := checkReason(reason, false); err != nil {
		return Worker{}, err
	}
	return d.operate(ctx, worker, "worker told to leave", func(a *store.Worker) error {
		if a.Stopping && (a.StopForce || !force) {
			return errKeep
		}
		a.Stopping, a.StopForce, a.StopReason = true, a.StopForce || force, reason
		return nil
	})
}

// operate changes a worker for a person, and sees to its jobs at once.
func (d *Dispatcher) operate(ctx context.Context, ref, done string, edit func(*store.Worker) error) (Worker, error) {
	id, err := d.resolve(ref)
	if err != nil {
		return Worker{}, err
	}
	record, err := d.changeWorker(ctx, id, func(a *store.Worker) error {
		if a.State == store.WorkerDisconnected {
			return wrongState("worker %s has left", ref)
		}
		return edit(a)
	})
	if err != nil {
		return Worker{}, err
	}
	d.log.Info(done, zap.String("worker", id), zap.String("name", record.Name))
	d.settleWorker(ctx, id)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view(record, d.x.workers[id]), nil
}

// resolve finds the worker that a person means.
func (d *Dispatcher) resolve(ref string) (string, error) {
	if uuid.Validate(ref) == nil {
		return ref, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for id, a := range d.x.workers {
		if a.record.Name == ref && a.record.State == store.WorkerConnected {
			ids = append(ids, id)
		}
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("no connected worker is named %q: %w", ref, ErrNotFound)
	case 1:
		return ids[0], nil
	}
	return "", &InvalidError{"id", fmt.Sprintf("is %q, a name that %d workers have: use the id", ref, len(ids))}
}

// view adds what is seen of a worker now to its record.
func (*Dispatcher) view(record store.Worker, a *workerEntry) Worker {
	v := Worker{Worker: record}
	if a == nil {
		return v
	}
	v.Streaming = a.feed != nil || a.remote != ""
	v.LastSeenAt = a.seen
	for id, j := range a.jobs {
		if v.JobID == "" || j.state != wire.StateAssigned {
			v.JobID = id
		}
	}
	return v
}

// Workers lists workers, newest first, and answers with the token of the next
// page, empty when this was the last. It reads memory only. ErrInvalid.
func (d *Dispatcher) Workers(_ context.Context, f WorkerFilter, p Page) ([]Worker, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	if p.Token != "" && uuid.Validate(p.Token) != nil {
		return nil, "", &InvalidError{"page_token", "is not one that a page gave"}
	}
	states := f.States
	if len(states) == 0 {
		states = []store.WorkerState{store.WorkerConnected}
	}
	var workers []Worker
	d.mu.Lock()
	for id, a := range d.x.workers {
		if slices.Contains(states, a.record.State) && (f.Queue == "" || f.Queue == a.record.Queue) &&
			(p.Token == "" || id < p.Token) {
			workers = append(workers, d.view(a.record, a))
		}
	}
	d.mu.Unlock()
	slices.SortFunc(workers, func(a, b Worker) int { return cmp.Compare(b.ID, a.ID) })
	if len(workers) <= size {
		return workers, "", nil
	}
	return workers[:size:size], workers[size-1].ID, nil
}
