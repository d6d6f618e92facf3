package dispatch

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Delete deletes a job that has ended, with its log and its idempotency key, and returns
// the size of the log that was deleted with it, in bytes. A call that failed halfway can
// be repeated: the record goes last. ErrNotFound; ErrWrongState for a job that has not
// ended, or whose retry is not submitted yet.
func (d *Dispatcher) Delete(ctx context.Context, id string) (logSize uint64, err error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	for range store.MaxConflicts {
		job, err := d.Job(ctx, id)
		if err != nil {
			return 0, err
		}
		if err := mayDelete(&job); err != nil {
			return 0, err
		}
		if err := d.logs.Delete(ctx, id); err != nil {
			return 0, err //nolint:wrapcheck // it says what was attempted
		}
		if job.IdempotencyKey != "" {
			if err := d.records.st.DeleteKey(ctx, job.IdempotencyKey, id); err != nil {
				return 0, err //nolint:wrapcheck // the store's errors say what was attempted
			}
		}
		err = d.records.st.DeleteJob(ctx, job)
		if errors.Is(err, store.ErrConflict) {
			continue // such as a late result
		}
		if err != nil {
			return 0, err //nolint:wrapcheck // the store's errors say what was attempted
		}
		d.records.update(func(x *schedule.Index) { x.ForgetPast(id) })
		d.log.Info("job deleted", zap.String("job_id", id))
		if job.Log.Deletion != nil {
			return 0, nil
		}
		return job.LogSize, nil
	}
	return 0, store.ErrConflict
}

// mayDelete returns ErrWrongState for a job that something depends on.
func mayDelete(job *record.Job) error {
	if !job.State.Final() {
		return wrongState("job %s is %s; only a job that has ended can be deleted: cancel it first", job.ID, job.State)
	}
	if len(schedule.Effects(job)) > 0 {
		return wrongState("job %s is %s, and its retry is not submitted yet; try again", job.ID, job.State)
	}
	return nil
}
