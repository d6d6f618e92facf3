package dispatch

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// errUnchanged is returned by an edit that leaves the record as it is, which is a
// success.
var errUnchanged = errors.New("nothing to change")

// change is the result of an event: the record as stored, and whether the event
// changed it.
type change[T any] struct {
	record  T
	changed bool
}

// stored is how one record (T) is read and written.
type stored[T any] struct {
	name string // for errors
	read func(context.Context) (T, error)
	put  func(context.Context, T) (T, error)
}

// kind is how one record (T) is changed by events (E).
type kind[T, E any] struct {
	stored[T]

	after func(T, E) (T, error)
	log   func(before, after *T, ev E)
}

// apply applies an event to a record: see compareAndSet. Each check can refuse the
// event before the table is asked; errUnchanged ignores it. It logs the change.
func apply[T, E any](ctx context.Context, k kind[T, E], current T, indexed bool, ev E, checks []func(T) error) (change[T], error) {
	var before T
	after, err := compareAndSet(ctx, k.stored, current, indexed, func(current T) (T, error) {
		for _, check := range checks {
			if err := check(current); err != nil {
				return current, err
			}
		}
		before = current
		return k.after(current, ev)
	})
	if err == nil && after.changed {
		k.log(&before, &after.record, ev)
	}
	return after, err
}

// changeJob applies an event to a job: see apply. It also does the effects of the
// change; one that fails is left to the sweeps, since the change itself is stored.
func (r *records) changeJob(
	ctx context.Context, id string, ev lifecycle.Event, checks ...func(record.Job) error,
) (change[record.Job], error) {
	ev.At = r.now().UTC()
	var job record.Job
	var indexed bool
	r.view(func(x *schedule.Index) { job, indexed = x.Record(id) })
	k := kind[record.Job, lifecycle.Event]{r.storedJob("job "+id, id), jobAfter, r.logJob}
	after, err := apply(ctx, k, job, indexed, ev, checks)
	if err == nil && after.changed {
		if err := r.perform(ctx, after.record); err != nil {
			r.failures.failed(id, err, r.now(), zap.String("job_id", id))
		}
	}
	return after, err
}

// storedJob returns how a job is read and written; name is its name in errors.
func (r *records) storedJob(name, id string) stored[record.Job] {
	read := func(ctx context.Context) (record.Job, error) { return r.ReadJob(ctx, id) }
	return stored[record.Job]{name, read, r.putJob}
}

// changeWorker applies an event to a worker: see apply.
func (r *records) changeWorker(ctx context.Context, id string, ev workerstate.Event,
	checks ...func(record.Worker) error,
) (change[record.Worker], error) {
	ev.At = r.now().UTC()
	worker, indexed := r.worker(id)
	read := func(ctx context.Context) (record.Worker, error) { return r.readWorker(ctx, id) }
	k := kind[record.Worker, workerstate.Event]{stored[record.Worker]{"worker " + id, read, r.putWorker}, workerAfter, r.logWorker}
	return apply(ctx, k, worker, indexed, ev, checks)
}

// createJob stores a new job after its first events, of which the first submits it. Of
// requested it uses the ID and what the submitter decides. store.ErrConflict if the job
// exists.
func (r *records) createJob(ctx context.Context, requested *record.Job, events ...lifecycle.Event) (record.Job, error) {
	steps, err := newSteps(requested, events)
	if err != nil {
		return record.Job{}, err
	}
	stored, err := r.putJob(ctx, steps[len(events)])
	if err == nil {
		r.logSteps(steps, events)
	}
	return stored, err
}

// newSteps returns a new job before its first event, which is empty, and after each. It
// is a function of its own to keep the stack small while a job is stored.
func newSteps(requested *record.Job, events []lifecycle.Event) ([]record.Job, error) {
	steps := make([]record.Job, len(events)+1)
	for i, ev := range events {
		var err error
		if i == 0 {
			steps[1], err = newJob(*requested, ev)
		} else {
			steps[i+1], err = jobAfter(steps[i], ev)
		}
		if err != nil {
			return nil, err
		}
	}
	return steps, nil
}

// logSteps logs the events of a new job.
func (r *records) logSteps(steps []record.Job, events []lifecycle.Event) {
	for i, ev := range events {
		r.logJob(&steps[i], &steps[i+1], ev)
	}
}

// compareAndSet edits a record and stores it, again as long as others change it
// first. An indexed record is used for the first try if that leads to a write: a
// refusal, or a success without a write, is decided on the stored record. It
// returns the record as stored, also beside an error of the edit.
func compareAndSet[T any](
	ctx context.Context, s stored[T], current T, indexed bool, edit func(T) (T, error),
) (change[T], error) {
	for range store.MaxConflicts {
		if !indexed {
			var err error
			if current, err = s.read(ctx); err != nil {
				return change[T]{}, err
			}
		}
		edited, err := edit(current)
		switch {
		case err == nil:
			edited, err = s.put(ctx, edited)
			if !errors.Is(err, store.ErrConflict) {
				return change[T]{edited, err == nil}, err
			}
		case indexed:
		case errors.Is(err, errUnchanged):
			return change[T]{current, false}, nil
		default:
			return change[T]{current, false}, err
		}
		indexed = false
	}
	return change[T]{}, fmt.Errorf("changing %s: %w", s.name, store.ErrConflict)
}

// jobMessages are the log messages of the events that lead to a change.
var jobMessages = map[lifecycle.EventKind]string{ //nolint:gochecknoglobals // a constant, which Go cannot declare as such
	lifecycle.Submitted:       "job submitted",
	lifecycle.Assigned:        "job assigned",
	lifecycle.Accepted:        "job accepted",
	lifecycle.Acquired:        "job acquired",
	lifecycle.Started:         "job started",
	lifecycle.Finished:        "job ended",
	lifecycle.CancelRequested: "job cancellation requested",
	lifecycle.TimedOut:        "job timed out",
	lifecycle.WorkerStopped:   "job stopped with its worker",
	lifecycle.WorkerRevoked:   "job lost",
	lifecycle.OriginalEnded:   "retry withdrawn",
}

// logJob logs a stored change of a job, and passes it to the observer.
func (r *records) logJob(before, after *record.Job, ev lifecycle.Event) {
	r.observer.JobChanged(*before, *after, ev)
	level, message := zapcore.InfoLevel, jobMessages[ev.Kind]
	switch {
	case after.State == wire.StateQueued && before.State != "":
		message = "job requeued"
	case after.State == wire.StateLost && before.State != wire.StateLost:
		level, message = zapcore.WarnLevel, "job lost"
	case before.State == wire.StateLost:
		message = "late job result recorded"
	}
	entry := r.log.Check(level, message)
	if entry == nil {
		return
	}
	workerID, workerName := after.WorkerID, after.WorkerName
	if workerID == "" {
		workerID, workerName = before.WorkerID, before.WorkerName
	}
	fields := []zap.Field{
		zap.String("job_id", after.ID), zap.String("queue", after.Queue),
		zap.String("worker_id", workerID), zap.String("worker_name", workerName),
		zap.String("from", string(before.State)), zap.String("to", string(after.State)),
		zap.Stringer("event", ev.Kind), zap.String("reason", ev.Reason),
	}
	if after.RetriedBy != "" && before.RetriedBy == "" {
		fields = append(fields, zap.String("retried_by", after.RetriedBy))
	}
	entry.Write(fields...)
}

// workerMessages are the log messages of the events that change a worker.
var workerMessages = map[workerstate.EventKind]string{ //nolint:gochecknoglobals // a constant, which Go cannot declare as such
	workerstate.Registered:       "worker registered",
	workerstate.Seen:             "lost worker connected again",
	workerstate.LeaseExpired:     "worker lost",
	workerstate.Disconnected:     "worker disconnected",
	workerstate.PauseRequested:   "worker paused",
	workerstate.ResumeRequested:  "worker resumed",
	workerstate.DrainRequested:   "worker draining",
	workerstate.StopRequested:    "worker stopped",
	workerstate.LastJobAnnounced: "worker takes no further job",
	workerstate.Revoked:          "worker revoked",
}

// logWorker logs a stored change of a worker, and passes it to the observer.
func (r *records) logWorker(before, after *record.Worker, ev workerstate.Event) {
	r.observer.WorkerChanged(*after, ev)
	level := zapcore.InfoLevel
	if ev.Kind == workerstate.LeaseExpired {
		level = zapcore.WarnLevel
	}
	r.log.Log(level, workerMessages[ev.Kind],
		zap.String("worker_id", after.ID), zap.String("worker_name", after.Name), zap.String("queue", after.Queue),
		zap.String("from", string(before.State)), zap.String("to", string(after.State)),
		zap.Stringer("event", ev.Kind), zap.String("reason", ev.Reason))
}
