package dispatch

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// logAfter returns the record of a job after an event of its log, which the table of
// package logstate decides. It fails with errUnchanged if the event changes nothing,
// and with ErrWrongState if the table refuses it. It is the only function that changes
// what is stored of a log.
func logAfter(job record.Job, ev logstate.Event) (record.Job, error) {
	next, changed, refused := logstate.Next(&job.Job, job.Log, ev)
	switch {
	case refused == logstate.IsDeleted:
		by := job.Log.Deletion
		return job, wrongState("job %s: its log was deleted by %s at %s", job.ID, by.By, by.At.UTC().Format(time.RFC3339))
	case refused == logstate.JobRuns:
		return job, wrongState("job %s is %s; only the log of a job that has ended can be deleted: cancel the job first", job.ID, job.State)
	case refused != "":
		return job, wrongState("job %s: %s", job.ID, refused)
	case !changed:
		return job, errUnchanged
	}
	job.Log = next
	return job, nil
}

// changeLog applies an event to the log of a job: see apply.
func (r *records) changeLog(ctx context.Context, id string, ev logstate.Event) (change[record.Job], error) {
	job, indexed := r.job(id)
	logged := func(_, after *record.Job, ev logstate.Event) {
		if ev.Kind == logstate.DeleteRequested {
			r.log.Info("job log deleted", zap.String("job_id", id), zap.String("actor", after.Log.Deletion.By),
				zap.Uint64("bytes", after.Log.Deletion.Bytes), zap.String("reason", after.Log.Deletion.Reason))
		}
	}
	return apply(ctx, kind[record.Job, logstate.Event]{r.storedJob("the log of job "+id, id), logAfter, logged}, job, indexed, ev, nil)
}

// AppendLog stores a chunk of the job's log. Storing it again is a success. While the job
// runs, and while it is lost without a result, any chunk is accepted; after the result
// only one that its agent has counted as undelivered. joblog.ErrFull past the limit of
// the log; ErrWrongState, or joblog.ErrClosed, where the log is closed; ErrInvalid,
// ErrUnauthenticated, store.ErrUnavailable.
//
// A replica that has not seen the end of the job yet may accept a chunk for a moment
// after it.
func (g JobGrant) AppendLog(ctx context.Context, c wire.Chunk) error {
	job, err := g.d.records.findJob(ctx, g.JobID)
	if err != nil {
		return refused(err)
	}
	switch logstate.StateOf(&job.Job, job.Log) {
	case logstate.Growing, logstate.Awaited:
		return g.d.logs.Append(ctx, g.JobID, c) //nolint:wrapcheck // it says what was attempted
	case logstate.Deleted:
		_, err := logAfter(job, logstate.Event{Kind: logstate.ChunkArrived})
		return err
	case logstate.Short, logstate.Complete:
	}
	size := job.LogSize
	if job.LateResult != nil {
		size = job.LateResult.LogSize
	}
	stored, err := g.d.logs.AppendLate(ctx, g.JobID, size, logstate.Missing(&job.Job, job.Log), c)
	if err != nil || !stored {
		return err //nolint:wrapcheck // it says what was attempted
	}
	_, err = g.d.records.changeLog(ctx, g.JobID, logstate.Event{Kind: logstate.ChunkArrived})
	switch {
	case errors.Is(err, ErrWrongState): // the log was deleted meanwhile
		return errors.Join(err, g.d.logs.Delete(ctx, g.JobID))
	case err != nil: // the chunk is there, but counted as missing
		g.d.log.Warn("failed to count a late log chunk", zap.String("job_id", g.JobID), zap.Error(err))
	}
	return nil
}

// DeletedLog is the deletion of a log. Unchanged is set if it is an earlier one.
type DeletedLog struct {
	logstate.Deletion

	Unchanged bool
}

// DeleteLog deletes the log of a job that has ended, for the caller with that name, and
// returns the deletion: the earlier one if the log was deleted before. The record of the
// job has it first, which closes the log for every replica and reader. ErrNotFound;
// ErrWrongState for a job that has not ended.
func (d *Dispatcher) DeleteLog(ctx context.Context, id, by string) (DeletedLog, error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	job, err := d.Job(ctx, id)
	if err != nil {
		return DeletedLog{}, err
	}
	before := job.Log.Deletion != nil
	deletion := logstate.Deletion{By: by, Bytes: job.LogSize}
	err = d.logs.DeleteRecorded(ctx, id, func(ctx context.Context) error { return d.records.recordDeletion(ctx, id, deletion) })
	if err != nil {
		return DeletedLog{}, err //nolint:wrapcheck // it says what was attempted
	}
	if job, err = d.records.ReadJob(ctx, id); err != nil {
		return DeletedLog{}, err
	}
	return DeletedLog{*job.Log.Deletion, before}, nil
}

// recordDeletion records that the log of a job is deleted. It succeeds if that is
// recorded already.
func (r *records) recordDeletion(ctx context.Context, id string, deletion logstate.Deletion) error {
	deletion.At = r.now().UTC()
	_, err := r.changeLog(ctx, id, logstate.Event{Kind: logstate.DeleteRequested, Deletion: deletion})
	return err
}

// LogTrimmed implements joblog.Jobs.
func (r *records) LogTrimmed(ctx context.Context, id string, size uint64) error {
	return r.recordDeletion(ctx, id, logstate.Deletion{
		By: logstate.ControlPlane, Bytes: size, Reason: "to make room: all logs together had reached their limit",
	})
}

// logGrows reports whether chunks may be added to the log of a job.
func (*Dispatcher) logGrows(job *record.Job) bool {
	switch logstate.StateOf(&job.Job, job.Log) {
	case logstate.Growing:
		return job.State == wire.StateRunning
	case logstate.Awaited, logstate.Short:
		return true
	case logstate.Complete, logstate.Deleted:
	}
	return false
}

var _ joblog.Jobs = (*records)(nil)
