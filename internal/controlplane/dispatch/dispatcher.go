package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

const (
	// writeTimeout bounds one write, which no longer depends on its caller once it
	// was begun.
	writeTimeout = 20 * time.Second
	// maxConflicts bounds how often a change is tried on a record that others keep
	// changing; a job changes about five times in its life.
	maxConflicts = 20
	// watchPause is the wait before the store's changes are followed anew.
	watchPause = time.Second
)

// Dispatcher gives jobs to workers. All methods may be called concurrently.
//
// A write that was begun is seen through even when its caller's context ends.
type Dispatcher struct {
	st     *store.Store
	o      Options
	log    *zap.Logger
	id     string          // of this replica
	ctx    context.Context //nolint:containedctx // of the goroutines that live as long as the dispatcher
	cancel context.CancelCauseFunc

	// work counts the goroutines; mu makes sure that none begins after Close.
	work sync.WaitGroup

	mu     sync.Mutex
	closed bool
	x      *index
	// held are claims whose outcome is not known because the store did not answer:
	// the next sweep releases them.
	held []*claim
	// renewal asks the next sweep to give everything a full term.
	renewal bool
	// feeds counts the feeds that were opened.
	feeds uint64
	// swept is when the last sweep was.
	swept time.Time
	// expiry is where the next sweep goes on dropping expired jobs.
	expiry uuid.UUID
	// toSignal is what the other replicas are told with the next sweep.
	toSignal signal

	stopSignals func()

	// dataTurns order the writes of meta-data: see SetData.
	dataTurns *turns
}

// New reads the state, and gives every lease a full term. It answers once the
// index is complete. The store stays the caller's, and must outlive the
// dispatcher.
func New(ctx context.Context, st *store.Store, opts Options) (*Dispatcher, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{st: st, o: opts, log: opts.Logger, id: newID(), x: newIndex(), swept: opts.Clock.Now(), dataTurns: newTurns()}
	d.ctx, d.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	stop, err := st.OnSignal(d.heardSignal)
	if err != nil {
		return nil, fmt.Errorf("starting the dispatcher: %w", err)
	}
	d.stopSignals = stop
	st.OnInterruption(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.renewal = true
	})
	if err := d.load(ctx); err != nil {
		d.Close()
		return nil, err
	}
	d.spawn(d.sweepUntilClosed)
	return d, nil
}

// load begins to follow the store, and waits until the index is complete.
func (d *Dispatcher) load(ctx context.Context) error {
	caughtUp, failed := make(chan struct{}), make(chan error, 1)
	d.spawn(func(ctx context.Context) {
		if err := d.st.Watch(ctx, caughtUp, d.watched); err != nil {
			failed <- err
		}
		for ctx.Err() == nil {
			d.pause(ctx)
			if err := d.st.Watch(ctx, nil, d.watched); err != nil && ctx.Err() == nil {
				d.log.Warn("following the store's changes", zap.Error(err))
			}
		}
	})
	select {
	case <-caughtUp:
		return nil
	case err := <-failed:
		return fmt.Errorf("reading the state: %w", err)
	case <-ctx.Done():
		return fmt.Errorf("reading the state: %w", context.Cause(ctx))
	}
}

// newID returns a UUIDv7: IDs sort by the time at which they were made.
func newID() string {
	return uuid.Must(uuid.NewV7()).String() // fails only if crypto/rand does, which it never does
}

// pause waits a little before a failed watch is begun anew.
func (*Dispatcher) pause(ctx context.Context) {
	timer := time.NewTimer(watchPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Close stops giving out work and ends every feed and follower with ErrClosed.
// It returns when the dispatcher's goroutines have ended. It may be called more
// than once.
func (d *Dispatcher) Close() {
	d.mu.Lock()
	d.closed = true
	for _, a := range d.x.workers {
		if a.feed != nil {
			a.feed.end(ErrClosed)
		}
	}
	d.mu.Unlock()
	d.stopSignals()
	d.cancel(ErrClosed)
	d.work.Wait()
}

// spawn runs f in the background until Close; its context ends then.
func (d *Dispatcher) spawn(f func(ctx context.Context)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.work.Go(func() { f(d.ctx) })
	}
}

func (d *Dispatcher) now() time.Time { return d.o.Clock.Now() }

// change edits the index, and begins the assignments that have become possible.
func (d *Dispatcher) change(edit func(x *index)) {
	d.mu.Lock()
	edit(d.x)
	var claims []*claim
	if !d.closed {
		claims = d.x.match()
	}
	d.mu.Unlock()
	for _, c := range claims {
		d.spawn(func(ctx context.Context) {
			_ = d.assign(ctx, c) // is logged, and tried again with the next match
		})
	}
}

// watched takes one stored record into the index.
func (d *Dispatcher) watched(c store.Change) {
	apply := func(*index) {}
	switch c.Kind {
	case store.JobStored:
		if d.knows((*index).knowsJob, c) {
			break
		}
		job, err := c.Job()
		if err != nil {
			d.log.Error("leaving a record out", zap.Error(err))
			break
		}
		apply = func(x *index) { x.applyJob(job, d.now(), d.expires(job, c.StoredAt)) }
	case store.WorkerStored:
		if d.knows((*index).knowsWorker, c) {
			break
		}
		worker, err := c.Worker()
		if err != nil {
			d.log.Error("leaving a record out", zap.Error(err))
			break
		}
		apply = func(x *index) { x.applyWorker(worker, d.now()) }
	case store.OtherStored:
	}
	d.change(func(x *index) {
		apply(x)
		x.reached(c.ID, c.Revision)
	})
}

func (d *Dispatcher) knows(known func(*index, string, uint64) bool, c store.Change) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return known(d.x, c.ID, c.Revision)
}

// expires is when a stored job will be gone; zero for a live one.
func (d *Dispatcher) expires(job store.Job, storedAt time.Time) time.Time {
	if !job.State.Final() {
		return time.Time{}
	}
	return storedAt.Add(d.st.Retention())
}

// putJob stores a job, whatever becomes of the caller, and applies it.
func (d *Dispatcher) putJob(ctx context.Context, job store.Job) (store.Job, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	job, err := d.st.PutJob(ctx, job)
	if err != nil {
		return job, err //nolint:wrapcheck // the store's errors are in words already
	}
	d.change(func(x *index) { x.applyJob(job, d.now(), d.expires(job, d.now())) })
	if job.State.Final() && job.IdempotencyKey != "" {
		d.spawn(func(ctx context.Context) {
			if err := d.st.ExpireKey(ctx, job.IdempotencyKey, job.ID); err != nil {
				d.log.Debug("an idempotency key stays until it is used again", zap.Error(err))
			}
		})
	}
	return job, nil
}

// errKeep is what an edit answers to leave the record as it is, with success.
var errKeep = errors.New("nothing to change")

// changeJob applies edit to a job and stores it by compare-and-set, again for as
// long as others get there first. What the index says is used for the first try
// only if it leads to a write: a refusal, or a success without one, is judged on
// the stored record. It answers with the job as it is then, also beside an edit's
// own error.
func (d *Dispatcher) changeJob(ctx context.Context, id string, edit func(*store.Job) error) (store.Job, error) {
	job, indexed := d.jobInHand(id)
	for range maxConflicts {
		if !indexed {
			var err error
			if job, err = d.readJob(ctx, id); err != nil {
				return store.Job{}, err
			}
		}
		edited := job
		err := edit(&edited)
		switch {
		case err == nil:
			edited, err = d.putJob(ctx, edited)
			if !errors.Is(err, store.ErrConflict) {
				return edited, err
			}
		case indexed:
		case errors.Is(err, errKeep):
			return job, nil
		default:
			return job, err
		}
		indexed = false
	}
	return store.Job{}, fmt.Errorf("changing job %s: %w", id, store.ErrConflict)
}

// jobInHand is the record of a job in hand, as the index has it.
func (d *Dispatcher) jobInHand(id string) (store.Job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if j := d.x.inHand[id]; j != nil {
		return *j.record, true
	}
	return store.Job{}, false
}

// readJob reads a job from the store, and brings the index up to it.
func (d *Dispatcher) readJob(ctx context.Context, id string) (store.Job, error) {
	job, err := d.st.Job(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Job{}, fmt.Errorf("job %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return store.Job{}, err //nolint:wrapcheck // the store's errors are in words already
	}
	d.change(func(x *index) { x.applyJob(job, d.now(), d.expires(job, job.FinishedAt)) })
	return job, nil
}

// changeWorker is changeJob for workers.
func (d *Dispatcher) changeWorker(ctx context.Context, id string, edit func(*store.Worker) error) (store.Worker, error) {
	worker, indexed := d.worker(id)
	for range maxConflicts {
		if !indexed {
			var err error
			if worker, err = d.readWorker(ctx, id); err != nil {
				return store.Worker{}, err
			}
		}
		edited := worker
		err := edit(&edited)
		switch {
		case err == nil:
			edited, err = d.putWorker(ctx, edited)
			if !errors.Is(err, store.ErrConflict) {
				return edited, err
			}
		case indexed:
		case errors.Is(err, errKeep):
			return worker, nil
		default:
			return worker, err
		}
		indexed = false
	}
	return store.Worker{}, fmt.Errorf("changing worker %s: %w", id, store.ErrConflict)
}

func (d *Dispatcher) worker(id string) (store.Worker, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.x.workers[id]; a != nil {
		return a.record, true
	}
	return store.Worker{}, false
}

func (d *Dispatcher) readWorker(ctx context.Context, id string) (store.Worker, error) {
	worker, err := d.st.Worker(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return store.Worker{}, fmt.Errorf("worker %s: %w", id, ErrNotFound)
	}
	if err != nil {
		return store.Worker{}, err //nolint:wrapcheck // the store's errors are in words already
	}
	d.change(func(x *index) { x.applyWorker(worker, d.now()) })
	return worker, nil
}

func (d *Dispatcher) putWorker(ctx context.Context, worker store.Worker) (store.Worker, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	worker, err := d.st.PutWorker(ctx, worker)
	if err != nil {
		return worker, err //nolint:wrapcheck // the store's errors are in words already
	}
	d.change(func(x *index) { x.applyWorker(worker, d.now()) })
	return worker, nil
}
