package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// perform does what a stored job requires of other jobs, as package lifecycle has it
// in Job.Effects: the only place where effects are done. It may be called again, and
// is by each sweep until the effects are recorded as done.
func (r *records) perform(ctx context.Context, job record.Job) error {
	for _, e := range schedule.Effects(&job) {
		var err error
		switch e.Kind {
		case lifecycle.SubmitRetry:
			err = r.submitRetry(ctx, job)
		case lifecycle.WithdrawRetry:
			err = r.withdrawRetry(ctx, job)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", e.Kind, e.ID, err)
		}
	}
	return nil
}

// submitRetry stores the job that retries a job, and records that in the job. A crash in
// between is repaired by doing it again: the retry exists then, and is not stored twice.
// Once it is recorded the retry may be deleted, or expire, and is not submitted again.
func (r *records) submitRetry(ctx context.Context, job record.Job) error {
	retry := retryOf(job)
	_, err := r.createJob(ctx, &retry, lifecycle.Event{
		Kind: lifecycle.Submitted, At: r.now().UTC(), Actor: actorControlPlane, Reason: "retry of job " + job.ID,
	})
	if err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	_, err = compareAndSet(ctx, r.storedJob("job "+job.ID, job.ID), job, true, func(job record.Job) (record.Job, error) {
		if job.RetryStored {
			return job, errUnchanged
		}
		job.RetryStored = true
		return job, nil
	})
	return err
}

// withdrawRetry withdraws the retry of a job whose late result has arrived, unless the
// retry was started, and tells the job which it was.
func (r *records) withdrawRetry(ctx context.Context, job record.Job) error {
	late := job.LateResult
	retry, err := r.changeJob(ctx, job.RetriedBy, lifecycle.Event{
		Kind: lifecycle.OriginalEnded, Actor: actorControlPlane,
		Reason: fmt.Sprintf("the late result of job %s, which this one retries, has arrived: %s",
			job.ID, wire.Ending(late.ExitStatus, late.Signal, late.SignalReason)),
	})
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	ev := lifecycle.Event{Kind: lifecycle.RetryKept, Actor: actorControlPlane, Reason: "retry " + job.RetriedBy + " was started before"}
	if retry.record.State == wire.StateCanceled && retry.record.StartedAt.IsZero() {
		ev.Kind, ev.Reason = lifecycle.RetryWithdrawn, "retry "+job.RetriedBy+" was not started, and is withdrawn"
	}
	_, err = r.changeJob(ctx, job.ID, ev)
	return err
}
