package dispatch

import (
	"context"
	"errors"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job returns a job from the store. While it runs, LogSize is what has arrived.
// ErrNotFound.
func (d *Dispatcher) Job(ctx context.Context, id string) (record.Job, error) {
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
	return reportedState(job), err
}

// Jobs returns a page of jobs, newest first, and the token of the next page, which
// is empty if this is the last one. ErrInvalid for a bad page or filter.
func (d *Dispatcher) Jobs(ctx context.Context, f schedule.JobFilter, p schedule.Page) ([]record.Job, string, error) {
	list, err := schedule.NewJobList(f, p)
	if err != nil {
		return nil, "", err //nolint:wrapcheck // it names the field
	}
	var jobs []record.Job
	for list.Missing(len(jobs)) > 0 {
		var ids []string
		d.records.view(func(x *schedule.Index) { ids = x.NextJobs(list, list.Missing(len(jobs))) })
		for _, id := range ids {
			job, err := d.records.ReadJob(ctx, id)
			switch {
			case errors.Is(err, ErrNotFound): // it has expired
				d.records.view(func(x *schedule.Index) { x.ForgetPast(id) })
			case err != nil:
				return nil, "", err
			case list.Matches(job):
				jobs = append(jobs, job)
			}
		}
	}
	return jobs, list.NextToken(), nil
}

// Cancel cancels a job that was not started, and requests the cancellation of a
// running one. It succeeds for a job that is canceled or being canceled.
// ErrNotFound; ErrInvalid for a reason that is too long; ErrWrongState, together
// with the job, for a job that ended otherwise.
func (d *Dispatcher) Cancel(ctx context.Context, id, reason string) (record.Job, error) {
	if err := validateReason(reason, false); err != nil {
		return record.Job{}, err
	}
	job, err := d.records.changeJob(ctx, id, lifecycle.Event{
		Kind: lifecycle.CancelRequested, Actor: actorOperator, Reason: reason,
	})
	return job.record, err
}

// Accept accepts the job that is assigned to the worker, and returns it with a job
// token. Repeated until the job is started, it is the same acceptance with one more
// valid token: tokens are stored as hashes and cannot be returned twice.
// ErrNotFound; ErrWrongState if the job is not assigned to the worker.
func (d *Dispatcher) Accept(ctx context.Context, workerID, jobID string) (record.Job, string, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return record.Job{}, "", err
	}
	worker, err := d.records.findWorker(ctx, workerID)
	if err != nil {
		return record.Job{}, "", err
	}
	return d.take(ctx, lifecycle.Accepted, worker, jobID)
}

// Acquire accepts a queued job that the worker itself names, of the worker's queue
// unless Options.AcquireAnyQueue is set. Repeatable like Accept. ErrNotFound;
// ErrWrongState if the job is not queued or is of another queue, or if the worker is
// paused, draining or stopped. The worker's stored record decides, since another
// replica may have paused it just now.
func (d *Dispatcher) Acquire(ctx context.Context, workerID, jobID string) (record.Job, string, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return record.Job{}, "", err
	}
	worker, err := d.records.readWorker(ctx, workerID)
	if err != nil {
		return record.Job{}, "", err
	}
	return d.take(ctx, lifecycle.Acquired, worker, jobID, func(job record.Job) error {
		switch {
		case job.State.InHand() && job.WorkerID == worker.ID:
			return nil // the response to the same request was lost
		case worker.State != workerstate.Available:
			return wrongState("worker %s is %s and takes no job", worker.Name, worker.State)
		case job.Queue != worker.Queue && !d.acquireAnyQueue:
			return wrongState("job %s is of queue %s, and worker %s of queue %s", job.ID, job.Queue, worker.Name, worker.Queue)
		}
		return nil
	})
}

// take accepts a job for a worker with a new token.
func (d *Dispatcher) take(ctx context.Context, kind lifecycle.EventKind, worker record.Worker, jobID string,
	checks ...func(record.Job) error,
) (record.Job, string, error) {
	jobToken, hash := token.Job.New(jobID)
	job, err := d.records.changeJob(ctx, jobID, lifecycle.Event{
		Kind: kind, Actor: actorWorker, WorkerID: worker.ID, WorkerName: worker.Name, Token: hash.String(),
	}, checks...)
	return job.record, jobToken, err
}

// reportedState returns the state of a job as the agents' wire has it: that of a
// running job which must end is canceling or timing_out.
func reportedState(job record.Job) wire.JobState {
	switch {
	case job.State != wire.StateRunning:
		return job.State
	case job.CancelRequested, job.StopRequested:
		return wire.StateCanceling
	case job.TimedOut:
		return wire.StateTimingOut
	}
	return job.State
}
