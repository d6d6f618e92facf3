package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// historySteps is how many jobs of the history are looked at before the lock is
// given to others.
const historySteps = 5000

// Job reads one job from the store. While it runs, LogSize is what has arrived.
// ErrNotFound.
func (d *Dispatcher) Job(ctx context.Context, id string) (store.Job, error) {
	job, err := d.readJob(ctx, id)
	if err == nil && job.State == wire.StateRunning {
		job.LogSize = d.logSize(ctx, id)
	}
	return job, err
}

// Jobs lists jobs, newest first, and answers with the token of the next page,
// empty when this was the last. ErrInvalid for a bad page or filter.
func (d *Dispatcher) Jobs(ctx context.Context, f JobFilter, p Page) ([]store.Job, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	m := matcher{queue: f.Queue, states: map[wire.JobState]bool{}}
	for _, state := range f.States {
		if !state.Valid() {
			return nil, "", &InvalidError{"states", fmt.Sprintf("has %q, which is no state of a job", state)}
		}
		m.states[state] = true
	}
	if f.WorkerID != "" {
		if m.worker, err = uuid.Parse(f.WorkerID); err != nil {
			return nil, "", &InvalidError{"worker_id", fmt.Sprintf("is %q, which is no id of a worker", f.WorkerID)}
		}
	}
	cursor := uuid.Max
	if p.Token != "" {
		if cursor, err = uuid.Parse(p.Token); err != nil {
			return nil, "", &InvalidError{"page_token", "is not one that a page gave"}
		}
	}
	jobs := make([]store.Job, 0, size)
	for {
		d.mu.Lock()
		ids, last, end := d.x.past.before(cursor, m, size-len(jobs), historySteps)
		d.mu.Unlock()
		for _, id := range ids {
			job, err := d.readJob(ctx, id)
			if errors.Is(err, ErrNotFound) {
				continue // it has expired just now
			}
			if err != nil {
				return nil, "", err
			}
			jobs = append(jobs, job)
		}
		switch cursor = last; {
		case end:
			return jobs, "", nil
		case len(jobs) == size:
			return jobs, last.String(), nil
		}
	}
}

// Cancel takes a job that has not started out of its queue or its worker's
// hands, and asks the worker to stop one that has. A job that is canceled, or
// being canceled, is a success. ErrNotFound, ErrInvalid (the reason is too long),
// and ErrWrongState for a job that ended otherwise; the answer is then the job all
// the same.
func (d *Dispatcher) Cancel(ctx context.Context, id, reason string) (store.Job, error) {
	if err := checkReason(reason, false); err != nil {
		return store.Job{}, err
	}
	return d.changeJob(ctx, id, func(job *store.Job) error {
		switch job.State {
		case wire.StateQueued, wire.StateAssigned, wire.StateAccepted:
			job.State, job.CancelReason = wire.StateCanceled, reason
			job.TokenHashes = nil
			job.FinishedAt = d.now().UTC()
			return nil
		case wire.StateRunning:
			if job.CancelRequested {
				return errKeep
			}
			job.CancelRequested, job.CancelReason = true, reason
			return nil
		case wire.StateCanceled:
			return errKeep
		case wire.StateFinished, wire.StateLost:
		}
		return wrongState("job %s is %s already", id, job.State)
	})
}
