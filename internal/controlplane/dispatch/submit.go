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
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/stack"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Submit stores a job and returns it once it is stored. Of job it uses Command,
// Env, Queue (empty is wire.DefaultQueue), Tags, Priority, Timeout, Limits, IdempotencyKey
// and RetriesLeft. existed reports that the idempotency key named an existing job,
// which is then returned. ErrInvalid; ErrKeyInUse if that job has a different
// command, environment, queue or tags; a *schedule.TagLimitError if live jobs require too
// many different sets of tags.
//
// If a worker is idle on its stream, the write that stores the job assigns it too.
func (d *Dispatcher) Submit(ctx context.Context, job record.Job) (_ record.Job, existed bool, err error) {
	return d.submit(ctx, job, newID())
}

// Submitted is what became of one job of SubmitAll: the errors are those of Submit.
type Submitted struct {
	Job     record.Job
	Existed bool
	Err     error
}

// submitAtOnce is how many jobs of one SubmitAll are stored at a time. Those share
// syncs: see package store.
const submitAtOnce = 64

// SubmitAll is Submit for many jobs, each by itself. In each queue they run in the order
// of jobs. It returns what became of each, in the same order. Each job has
// store.UserTimeout for itself; once the store did not respond within that time, no
// further job is tried.
func (d *Dispatcher) SubmitAll(ctx context.Context, jobs []record.Job) []Submitted {
	results := make([]Submitted, len(jobs))
	var group errgroup.Group
	group.SetLimit(submitAtOnce)
	trying, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	for i, job := range jobs {
		id := newID() // a queue is sorted by ID
		group.Go(func() error {
			results[i].Err = context.Cause(trying)
			if trying.Err() == nil {
				stored, existed, err := d.submit(store.Within(ctx, store.UserTimeout), job, id)
				if errors.Is(err, store.ErrUnavailable) {
					giveUp(err)
				}
				results[i] = Submitted{stored, existed, err}
			}
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	return results
}

// submit is Submit with the ID of the new job.
func (d *Dispatcher) submit(ctx context.Context, job record.Job, id string) (_ record.Job, existed bool, err error) {
	job.Queue = cmp.Or(job.Queue, wire.DefaultQueue)
	if err := validateJob(job); err != nil {
		return record.Job{}, false, err
	}
	if job.Tags, err = wire.RequiredTags(job.Tags); err != nil {
		return record.Job{}, false, record.Invalid("tags", "%v", err)
	}
	job.ID, job.BuildID, job.RetryOf = id, "", ""
	var stored record.Job
	switch refusal := d.checkTags(&job); {
	case job.IdempotencyKey != "":
		stored, existed, err = d.submitKeyed(ctx, &job, refusal)
		if err == nil && existed && !sameWork(&stored, &job) {
			err = &KeyInUseError{Key: job.IdempotencyKey, JobID: stored.ID}
		}
	case refusal != nil:
		err = refusal
	default:
		stored, err = d.create(ctx, &job)
	}
	if err != nil {
		return record.Job{}, false, fmt.Errorf("submitting a job: %w", err)
	}
	return stored, existed, nil
}

// sameWork reports whether two jobs do the same. Their priority, timeout,
// limits and retries do not matter.
func sameWork(a, b *record.Job) bool {
	return slices.Equal(a.Command, b.Command) && maps.Equal(a.Env, b.Env) && a.Queue == b.Queue && slices.Equal(a.Tags, b.Tags)
}

// submitKeyed stores a job under an idempotency key: first the key, then the job
// that it names. A submission that finds a key without its job stores the job. At a limit
// it stores neither: refusal is that of checkTags, and the store's limit is checked here.
func (d *Dispatcher) submitKeyed(ctx context.Context, job *record.Job, refusal error) (_ record.Job, existed bool, err error) {
	st := d.records.st
	if refusal == nil {
		refusal = st.Admit(ctx) // as it is when the job is stored, but before the key is
	}
	if refusal != nil {
		return d.existingOr(ctx, job.IdempotencyKey, refusal)
	}
	// Once the key may be stored, so is the job: a caller that leaves would leave a key
	// that is kept for ever.
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	var replace uint64 // the revision of a key that names nothing any more
	for range store.MaxConflicts {
		err := st.PutKey(ctx, job.IdempotencyKey, store.Key{JobID: job.ID, Revision: replace})
		if err == nil {
			return d.createOnce(ctx, job)
		}
		if !errors.Is(err, store.ErrConflict) {
			return record.Job{}, false, err //nolint:wrapcheck // the store's errors say what was attempted
		}
		key, err := st.Key(ctx, job.IdempotencyKey)
		if errors.Is(err, ErrNotFound) {
			replace = 0 // it has expired meanwhile
			continue
		}
		if err != nil {
			return record.Job{}, false, err //nolint:wrapcheck // the store's errors say what was attempted
		}
		existing, err := d.records.ReadJob(ctx, key.JobID)
		if !errors.Is(err, ErrNotFound) {
			return existing, err == nil, err
		}
		current, err := d.records.st.KeyIsCurrent(ctx, key)
		if err != nil {
			return record.Job{}, false, err //nolint:wrapcheck // the store's errors say what was attempted
		}
		if current {
			job.ID = key.JobID
			return d.createOnce(ctx, job)
		}
		replace = key.Revision
	}
	return record.Job{}, false, fmt.Errorf("idempotency key %q: %w", job.IdempotencyKey, store.ErrConflict)
}

// checkTags returns a *schedule.TagLimitError if the jobs of the job's queue require too many
// different sets of tags for one more.
func (d *Dispatcher) checkTags(job *record.Job) (refusal error) {
	d.records.view(func(x *schedule.Index) { refusal = x.CheckTags(job.Queue, job.Tags) })
	return refusal //nolint:wrapcheck // it says what was attempted
}

// existingOr returns the job that a key names. It fails with the refusal if there is none.
func (d *Dispatcher) existingOr(ctx context.Context, key string, refusal error) (_ record.Job, existed bool, err error) {
	named, err := d.records.st.Key(ctx, key)
	if err == nil {
		var job record.Job
		if job, err = d.records.ReadJob(ctx, named.JobID); err == nil {
			return job, true, nil
		}
	}
	if errors.Is(err, ErrNotFound) {
		err = refusal
	}
	return record.Job{}, false, err
}

// createOnce stores the job that a key names, unless another submission with the
// key has stored it.
func (d *Dispatcher) createOnce(ctx context.Context, job *record.Job) (_ record.Job, existed bool, err error) {
	created, err := d.create(ctx, job)
	if errors.Is(err, store.ErrConflict) {
		return d.createdByOther(ctx, job.ID)
	}
	return created, false, err
}

// createdByOther returns a job that another submission with its key has stored.
func (d *Dispatcher) createdByOther(ctx context.Context, id string) (_ record.Job, existed bool, err error) {
	existing, err := d.records.ReadJob(ctx, id)
	if errors.Is(err, ErrNotFound) { // the other submission is not committed yet
		err = fmt.Errorf("job %s: %w", id, store.ErrConflict)
	}
	return existing, err == nil, err
}

// create stores a new job, assigned to an idle worker if there is one. It does not change job.
func (d *Dispatcher) create(ctx context.Context, job *record.Job) (record.Job, error) {
	var c *schedule.Claim
	d.records.view(func(x *schedule.Index) { c = x.ClaimIdle(job.Queue, job.Tags) })
	submitted := lifecycle.Event{Kind: lifecycle.Submitted, At: d.now().UTC(), Actor: actorSubmitter}
	if c == nil {
		submitted.Reason = d.records.queueReason(job)
		return d.records.createJob(ctx, job, submitted)
	}
	offer := assignment(c)
	offer.At = submitted.At
	stored, err := d.records.createJob(ctx, job, submitted, offer)
	d.settle(ctx, c, err)
	return stored, err
}

// assignment returns the event that offers a job to the worker of a claim.
func assignment(c *schedule.Claim) lifecycle.Event {
	reason := "offered on its stream"
	if c.Polled {
		reason = "offered in the response to its ping"
	}
	if c.JobID != "" && c.FreeSince != "" { // the job waited for it
		reason += "; the worker is free since " + c.FreeSince
	}
	return lifecycle.Event{
		Kind: lifecycle.Assigned, Actor: actorControlPlane, Reason: reason, WorkerID: c.WorkerID, WorkerName: c.WorkerName,
	}
}

// assign writes the assignment of a claim and ends the claim. It does not depend
// on its caller: a caller that leaves must not leave the claim undecided.
func (d *Dispatcher) assign(ctx context.Context, c *schedule.Claim) error {
	stack.Grow() // it runs in a goroutine of its own
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	_, err := d.records.changeJob(ctx, c.JobID, assignment(c))
	d.settle(ctx, c, err)
	return err
}

// settle ends a claim after its write, if it is known whether that took effect,
// and applies the rules to its worker: it may have been paused meanwhile. A job that
// could not be assigned is tried again later, so that it does not block its queue.
func (d *Dispatcher) settle(ctx context.Context, c *schedule.Claim, err error) {
	var retry time.Time
	fields := []zap.Field{
		zap.String("job_id", c.JobID), zap.String("worker_id", c.WorkerID), zap.String("worker_name", c.WorkerName),
		zap.Stringer("event", lifecycle.Assigned),
	}
	switch {
	case c.JobID == "": // a new job: its submitter receives the error
	case err == nil, errors.Is(err, ErrNotFound):
		d.records.failures.succeeded(c.JobID, fields...)
	default:
		retry = d.records.failures.failed(c.JobID, err, d.now(), fields...)
	}
	d.records.update(func(x *schedule.Index) {
		switch {
		case err == nil:
			x.Release(c)
		case errors.Is(err, ErrNotFound):
			x.ForgetJob(c.JobID)
			x.Release(c)
		case mayHaveTakenEffect(err):
			x.Abandon(c, retry)
		default:
			x.Postpone(c, retry)
		}
	})
	if err == nil {
		d.sweeper.applyTo(ctx, c.WorkerID)
	}
}

// mayHaveTakenEffect reports whether a write that failed with err may be stored
// nevertheless.
func mayHaveTakenEffect(err error) bool {
	_, notAsked := errors.AsType[*store.OutageError](err)
	return wasUnanswered(err) && !notAsked
}

// wasUnanswered reports whether a write failed for lack of a response, which says nothing
// of the record.
func wasUnanswered(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
