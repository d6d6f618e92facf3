package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// watchPause is the wait before the store's changes are followed again.
const watchPause = time.Second

// records are the stored jobs and workers, with the index of them. Every record
// that is read, written or watched is applied to the index, and every change of
// the index may make new assignments possible.
type records struct {
	st     *store.Store
	state  state // st, but for tests
	now    func() time.Time
	log    *zap.Logger
	assign func(context.Context, *schedule.Claim) // writes an assignment

	failures *failures
	observer Observer

	ctx    context.Context //nolint:containedctx // of the goroutines, not of a call
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	index       *schedule.Index
	subscribers map[string][]*joblog.Subscription // by job
}

func newRecords(ctx context.Context, st *store.Store, opts Options) *records {
	r := &records{
		st: st, state: st, now: opts.Clock.Now, log: opts.Logger, failures: newFailures(opts.Logger), observer: opts.Observer,
		index: schedule.New(), subscribers: map[string][]*joblog.Subscription{},
	}
	r.ctx, r.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return r
}

// run runs f in a goroutine, unless the records are closed. The context of f ends
// with close.
func (r *records) run(f func(ctx context.Context)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.wg.Go(func() { f(r.ctx) })
	}
}

// close ends all streams and goroutines with ErrClosed, and waits for the latter.
func (r *records) close() {
	r.mu.Lock()
	r.closed = true
	r.index.Close(ErrClosed)
	r.mu.Unlock()
	r.cancel(ErrClosed)
	r.wg.Wait()
}

// view calls f with the index, under the lock.
func (r *records) view(f func(x *schedule.Index)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.index)
}

// update calls edit with the index, under the lock, and starts the assignments
// that have become possible.
func (r *records) update(edit func(x *schedule.Index)) {
	r.mu.Lock()
	edit(r.index)
	claims := r.index.Match()
	r.mu.Unlock()
	for _, c := range claims {
		r.run(func(ctx context.Context) { r.assign(ctx, c) })
	}
}

// load reads the stored records into the index, and begins to follow the store when the
// index is complete.
func (r *records) load(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })()
	position, err := r.st.Load(ctx, func(c store.Change) { r.apply(c) })
	if err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	r.view(func(x *schedule.Index) { x.Loaded(position) })
	r.run(func(ctx context.Context) {
		for ctx.Err() == nil {
			r.view(func(x *schedule.Index) { position = x.Position() })
			if err := r.st.Watch(ctx, position, r.changed); err != nil && ctx.Err() == nil {
				r.log.Warn("failed to follow the store's changes", zap.Error(err))
			}
			pause(ctx, watchPause)
		}
	})
	return nil
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// changed applies a change that the watch has reached.
func (r *records) changed(c store.Change) {
	r.apply(c)
	r.update(func(x *schedule.Index) { x.Reached(c.ID, c.Revision) })
}

// apply applies a change of the store. Most changes are this replica's own and known
// already, and most records at the start are of jobs that have ended, so neither are
// decoded.
func (r *records) apply(c store.Change) {
	if s, ok := c.Summary(); ok && r.applyEnded(s) {
		return
	}
	known := false
	r.view(func(x *schedule.Index) {
		known = c.Kind == store.JobStored && x.KnowsJob(c.ID, c.Revision) ||
			c.Kind == store.WorkerStored && x.KnowsWorker(c.ID, c.Revision)
	})
	var job record.Job
	var worker record.Worker
	var queuePause record.QueuePause
	var err error
	switch {
	case known:
	case c.Kind == store.JobStored:
		job, err = c.Job()
	case c.Kind == store.WorkerStored:
		worker, err = c.Worker()
	case c.Kind == store.QueuePauseStored:
		queuePause, err = c.QueuePause()
	}
	if err != nil {
		r.log.Error("skipped a damaged record", zap.Error(err))
		return
	}
	r.update(func(x *schedule.Index) {
		switch {
		case c.Kind == store.JobDeleted:
			x.ForgetPast(c.ID)
		case job.Revision > 0:
			r.applyJob(job)
		case worker.Revision > 0:
			x.ApplyWorker(worker, r.now())
		case queuePause.Revision > 0:
			x.ApplyQueuePause(queuePause)
		}
	})
	if queuePause.Revision > 0 {
		r.wakeSubscribers() // the jobs of the queue have another reason to wait
	}
}

// applyJob applies a record to the index and passes it to the job's subscribers.
// The caller holds the lock. The index keeps the job for as long as the store does,
// counted from now: the moment of storing is of another clock.
func (r *records) applyJob(job record.Job) {
	now := r.now()
	var expires time.Time // never, for a live job
	if job.State.Final() {
		expires = now.Add(r.st.Retention())
	}
	if r.index.ApplyJob(job, now, expires) {
		for _, s := range r.subscribers[job.ID] {
			s.Add(job)
		}
	}
}

// applyEnded applies the summary of a job that has ended. It reports false, and does
// nothing, if the record is needed: the job was live so far, or is followed.
func (r *records) applyEnded(s record.Summary) (applied bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.subscribers[s.ID]) > 0 {
		return false
	}
	now := r.now()
	return r.index.ApplyEnded(s, now, now.Add(r.st.Retention()))
}

// job returns the indexed record of a job that belongs to a worker.
func (r *records) job(id string) (job record.Job, ok bool) {
	r.view(func(x *schedule.Index) { job, ok = x.Job(id) })
	return job, ok
}

// ReadJob returns the stored record of a job, which is not older than what this
// replica has seen of it. ErrNotFound if it is gone: see readKnown.
func (r *records) ReadJob(ctx context.Context, id string) (record.Job, error) {
	job, err := readKnown(ctx, r.state, reading[record.Job]{
		what: "job " + id, read: func(ctx context.Context) (record.Job, error) { return r.state.Job(ctx, id) },
		revision: func(job record.Job) uint64 { return job.Revision },
		known:    func() (known uint64) { r.view(func(x *schedule.Index) { known = x.JobRevision(id) }); return known },
	})
	if err == nil {
		r.update(func(*schedule.Index) { r.applyJob(job) })
	}
	return job, err
}

// readJobs returns the stored records of jobs in the order of ids, without their history
// and those that the store does not have any more, and their size in bytes. They are
// for lists: the index does not take records that lack something.
func (r *records) readJobs(ctx context.Context, ids []string) (jobs []record.Job, size int, err error) {
	stored, size, err := r.st.Jobs(ctx, ids)
	if err != nil {
		return nil, 0, err //nolint:wrapcheck // the store's errors say what was attempted
	}
	r.view(func(x *schedule.Index) {
		for _, id := range ids {
			if job, found := stored[id]; found {
				jobs = append(jobs, job)
			} else {
				x.ForgetPast(id) // it has expired
			}
		}
	})
	return jobs, size, nil
}

// findJob returns the indexed record of a job that belongs to a worker, and the
// stored one of any other job.
func (r *records) findJob(ctx context.Context, id string) (record.Job, error) {
	if job, ok := r.job(id); ok {
		return job, nil
	}
	return r.ReadJob(ctx, id)
}

// putJob stores a job, even if the caller's context ends.
func (r *records) putJob(ctx context.Context, job record.Job) (record.Job, error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	stored, err := r.state.PutJob(ctx, job)
	if errors.Is(err, store.ErrTooLarge) && job.State.Final() && job.RetriedBy == "" {
		// Only a record of an earlier version can be so large. A job must be able to end.
		r.log.Warn("dropped the command and environment of a job whose record is too large", zap.String("job_id", job.ID))
		job.Command, job.Env = job.Command[:min(1, len(job.Command))], nil
		stored, err = r.state.PutJob(ctx, job)
	}
	if job = stored; err != nil {
		return job, err //nolint:wrapcheck // the store's errors say what was attempted
	}
	r.update(func(*schedule.Index) { r.applyJob(job) })
	if job.State.Final() && job.IdempotencyKey != "" {
		r.run(func(ctx context.Context) {
			if err := r.st.ExpireKey(ctx, job.IdempotencyKey, job.ID); err != nil {
				r.log.Debug("failed to expire an idempotency key; it is kept until it is used again",
					zap.String("job_id", job.ID), zap.Error(err))
			}
		})
	}
	return job, nil
}
