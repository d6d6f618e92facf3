package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Submit stores a job, and answers once it is safe; existed says that the
// idempotency key named a job that was there before, which is then the answer.
// ErrKeyInUse: that job's command, environment or queue is another. ErrInvalid
// names a bad field.
//
// A worker that is idle on its stream is named by the write that stores the job,
// so the answer may be assigned already.
func (d *Dispatcher) Submit(ctx context.Context, s Submission) (job store.Job, existed bool, err error) {
	s.Queue = cmp.Or(s.Queue, DefaultQueue)
	if err := s.validate(); err != nil {
		return store.Job{}, false, err
	}
	job = store.Job{
		Command: s.Command, Env: s.Env, Queue: s.Queue, Priority: s.Priority,
		Timeout: s.Timeout, IdempotencyKey: s.IdempotencyKey, State: wire.StateQueued,
		SubmittedAt: d.now().UTC(), RetriesLeft: s.Retries,
	}
	if s.IdempotencyKey == "" {
		job.ID = newID()
		job, err = d.create(ctx, job)
	} else {
		asked := job
		job, existed, err = d.submitKeyed(ctx, job)
		if err == nil && existed && !sameWork(job, asked) {
			err = &KeyInUseError{Key: asked.IdempotencyKey, JobID: job.ID}
		}
	}
	if err != nil {
		return store.Job{}, false, fmt.Errorf("submitting a job: %w", err)
	}
	if !existed {
		d.log.Info("job submitted", zap.String("job", job.ID), zap.String("queue", job.Queue), zap.String("worker", job.WorkerID))
	}
	return job, existed, nil
}

// sameWork says whether two jobs do the same. How urgent they are, how long they
// may take and how often they are retried is no part of that.
func sameWork(a, b store.Job) bool {
	return slices.Equal(a.Command, b.Command) && maps.Equal(a.Env, b.Env) && a.Queue == b.Queue
}

// submitKeyed stores a job under an idempotency key: the key first, and then the
// job that it names. Whoever finds a key without its job stores the job.
func (d *Dispatcher) submitKeyed(ctx context.Context, job store.Job) (_ store.Job, existed bool, err error) {
	var replace uint64 // the revision of a key that names nothing any more
	for range maxConflicts {
		job.ID = newID()
		err := d.st.PutKey(ctx, job.IdempotencyKey, store.Key{JobID: job.ID, Revision: replace})
		if err == nil {
			return d.createOnce(ctx, job)
		}
		if !errors.Is(err, store.ErrConflict) {
			return store.Job{}, false, err //nolint:wrapcheck // the store's errors are in words already
		}
		key, err := d.st.Key(ctx, job.IdempotencyKey)
		if errors.Is(err, ErrNotFound) {
			replace = 0 // it has expired meanwhile
			continue
		}
		if err != nil {
			return store.Job{}, false, err //nolint:wrapcheck // the same
		}
		existing, err := d.readJob(ctx, key.JobID)
		if !errors.Is(err, ErrNotFound) {
			return existing, err == nil, err
		}
		if !key.Over && time.Since(key.StoredAt) <= d.st.Retention() {
			job.ID = key.JobID
			return d.createOnce(ctx, job)
		}
		replace = key.Revision
	}
	return store.Job{}, false, fmt.Errorf("idempotency key %q: %w", job.IdempotencyKey, store.ErrConflict)
}

// createOnce stores the job that a key names, unless another submission of the
// key has.
func (d *Dispatcher) createOnce(ctx context.Context, job store.Job) (_ store.Job, existed bool, err error) {
	created, err := d.create(ctx, job)
	if errors.Is(err, store.ErrConflict) {
		existing, err := d.readJob(ctx, job.ID)
		return existing, err == nil, err
	}
	return created, false, err
}

// create stores a new job, in the hands of an idle worker if there is one.
func (d *Dispatcher) create(ctx context.Context, job store.Job) (store.Job, error) {
	var c *claim
	d.mu.Lock()
	if !d.closed {
		c = d.x.claimIdle(job.Queue)
	}
	d.mu.Unlock()
	if c == nil {
		return d.putJob(ctx, job)
	}
	job.State = wire.StateAssigned
	d.name(&job, c)
	job, err := d.putJob(ctx, job)
	d.settleClaim(ctx, c, err)
	return job, err
}
