package dispatch

import (
	"context"
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Accept takes the job for the worker that it is on offer to, and answers with
// the job and its token. Again, until start, it is the same acceptance: the job
// as it is, and one more token that works (tokens are stored hashed and cannot be
// given twice; the newest few work). ErrNotFound, and ErrWrongState where the job
// is not this worker's to accept.
func (d *Dispatcher) Accept(ctx context.Context, workerID, jobID string) (store.Job, string, error) {
	return d.take(ctx, workerID, jobID, func(job *store.Job) error {
		if job.WorkerID != workerID || job.State != wire.StateAssigned {
			return wrongState("job %s is %s, not on offer to worker %s", jobID, job.State, workerID)
		}
		return nil
	})
}

// Acquire takes a queued job, named by the worker itself, for a worker of any
// queue. Idempotent like Accept. ErrNotFound, and ErrWrongState where the job is
// not queued.
func (d *Dispatcher) Acquire(ctx context.Context, workerID, jobID string) (store.Job, string, error) {
	worker, known := d.worker(workerID)
	if !known {
		return store.Job{}, "", fmt.Errorf("worker %s: %w", workerID, ErrNotFound)
	}
	return d.take(ctx, workerID, jobID, func(job *store.Job) error {
		if job.State == wire.StateAssigned && job.WorkerID == workerID {
			return nil
		}
		if job.State != wire.StateQueued {
			return wrongState("job %s is %s", jobID, job.State)
		}
		job.WorkerID, job.WorkerName = workerID, worker.Name
		job.AssignedAt = d.now().UTC()
		return nil
	})
}

// maxTokens is how many tokens of one acceptance work: a worker that asks again
// has not received the response, but an older request may still be in flight and
// be handled after the newer one.
const maxTokens = 8

// take makes a job accepted by a worker, where first allows it, or repeats an
// acceptance.
func (d *Dispatcher) take(ctx context.Context, workerID, jobID string, first func(*store.Job) error) (store.Job, string, error) {
	if err := d.present(ctx, workerID); err != nil {
		return store.Job{}, "", err
	}
	jobToken, hash := token.Job.New(jobID)
	job, err := d.changeJob(ctx, jobID, func(job *store.Job) error {
		if job.State == wire.StateAccepted && job.WorkerID == workerID {
			hashes := append(slices.Clone(job.TokenHashes), hash)
			job.TokenHashes = hashes[max(0, len(hashes)-maxTokens):]
			return nil
		}
		if err := first(job); err != nil {
			return err
		}
		job.State, job.AcceptedAt = wire.StateAccepted, d.now().UTC()
		job.TokenHashes = []token.Hash{hash}
		return nil
	})
	if err != nil {
		return store.Job{}, "", err
	}
	return job, jobToken, nil
}

// States of a running job that is to end, in the words of the agents' wire.
const (
	stateCanceling = "canceling"
	stateTimingOut = "timing_out"
)

// JobState is where the job stands, in the words of the agents' wire: a state
// of wire.JobState, or, for a running job that is to end, canceling or
// timing_out. It reads memory where it can. ErrNotFound.
func (d *Dispatcher) JobState(ctx context.Context, jobID string) (string, error) {
	job, indexed := d.jobInHand(jobID)
	if !indexed {
		var err error
		if job, err = d.readJob(ctx, jobID); err != nil {
			return "", err
		}
	}
	switch {
	case job.State != wire.StateRunning:
		return string(job.State), nil
	case job.CancelRequested:
		return stateCanceling, nil
	case job.TimedOut || overdue(job, d.now()):
		return stateTimingOut, nil
	}
	return string(job.State), nil
}
