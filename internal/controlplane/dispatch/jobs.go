package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job returns a job from the store. While it runs, LogSize is what has arrived.
// ErrNotFound.
func (d *Dispatcher) Job(ctx context.Context, id string) (store.Job, error) {
	job, err := d.records.ReadJob(ctx, id)
	if err == nil && job.State == wire.StateRunning {
		job.LogSize = d.logs.Size(ctx, id)
	}
	return job, err
}

// JobState returns the state of a job as the agents' wire has it: a running job
// that must end is canceling or timing_out. It reads memory if it can.
// ErrNotFound.
func (d *Dispatcher) JobState(ctx context.Context, jobID string) (wire.JobState, error) {
	job, err := d.records.findJob(ctx, jobID)
	return reportedState(job, d.now()), err
}

// Jobs returns a page of jobs, newest first, and the token of the next page, which
// is empty if this is the last one. ErrInvalid for a bad page or filter.
func (d *Dispatcher) Jobs(ctx context.Context, f schedule.JobFilter, p schedule.Page) ([]store.Job, string, error) {
	list, err := schedule.NewJobList(f, p)
	if err != nil {
		return nil, "", err //nolint:wrapcheck // it names the field
	}
	var jobs []store.Job
	for list.Missing(len(jobs)) > 0 {
		var ids []string
		d.records.view(func(x *schedule.Index) { ids = x.NextJobs(list, list.Missing(len(jobs))) })
		for _, id := range ids {
			job, err := d.records.ReadJob(ctx, id)
			if errors.Is(err, ErrNotFound) {
				continue // it has just expired
			}
			if err != nil {
				return nil, "", err
			}
			jobs = append(jobs, job)
		}
	}
	return jobs, list.NextToken(), nil
}

// Cancel cancels a job that was not started, and requests the cancellation of a
// running one. It succeeds for a job that is canceled or being canceled.
// ErrNotFound; ErrInvalid for a reason that is too long; ErrWrongState, together
// with the job, for a job that ended otherwise.
func (d *Dispatcher) Cancel(ctx context.Context, id, reason string) (store.Job, error) {
	if err := validateReason(reason, false); err != nil {
		return store.Job{}, err
	}
	return d.records.changeJob(ctx, id, canceled(reason, d.now().UTC()))
}

// Accept accepts the job that is assigned to the worker, and returns it with a job
// token. Repeated until the job is started, it is the same acceptance with one more
// valid token: tokens are stored as hashes and cannot be returned twice.
// ErrNotFound; ErrWrongState if the job is not assigned to the worker.
func (d *Dispatcher) Accept(ctx context.Context, workerID, jobID string) (store.Job, string, error) {
	return d.accept(ctx, workerID, jobID, accepted)
}

// Acquire accepts a queued job that the worker itself names, of any queue.
// Repeatable like Accept. ErrNotFound; ErrWrongState if the job is not queued.
func (d *Dispatcher) Acquire(ctx context.Context, workerID, jobID string) (store.Job, string, error) {
	return d.accept(ctx, workerID, jobID, acquired)
}

func (d *Dispatcher) accept(ctx context.Context, workerID, jobID string,
	by func(worker store.Worker, hash token.Hash, now time.Time) transition,
) (store.Job, string, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return store.Job{}, "", err
	}
	worker, err := d.records.findWorker(ctx, workerID)
	if err != nil {
		return store.Job{}, "", err
	}
	jobToken, hash := token.Job.New(jobID)
	job, err := d.records.changeJob(ctx, jobID, by(worker, hash, d.now().UTC()))
	return job, jobToken, err
}
