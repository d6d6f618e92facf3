package dispatch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Dispatcher assigns jobs to workers. All methods may be called concurrently. A
// write that has begun is completed even if its caller's context ends.
type Dispatcher struct {
	records    *records
	sweeper    *sweeper
	replicas   *replicas
	background *background
	logs       *joblog.Log
	metadata   *metadata.Store

	now func() time.Time
	log *zap.Logger
}

// New reads the stored state and returns once the index is complete. Every lease
// starts with a full term. The caller closes the store, after the dispatcher.
func New(ctx context.Context, st *store.Store, opts Options) (*Dispatcher, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{background: newBackground(ctx), metadata: metadata.New(st), now: opts.Clock.Now, log: opts.Logger}
	d.records = newRecords(st, d.background, d.now, d.log, func(c *schedule.Claim) {
		d.background.run(func(ctx context.Context) {
			_ = d.assign(ctx, c) // it is logged, and tried again with the next match
		})
	})
	d.replicas = newReplicas(d.records)
	d.sweeper = newSweeper(d.records, d.replicas, opts)
	d.logs = joblog.New(st, d.records, opts.LogGrace, d.now)
	d.sweeper.logSize = d.logs.Size
	if err := d.replicas.listen(); err != nil {
		d.background.stop(ErrClosed)
		return nil, fmt.Errorf("starting the dispatcher: %w", err)
	}
	st.OnReconnect(d.sweeper.renewAll)
	if err := d.records.load(ctx); err != nil {
		d.Close()
		return nil, err
	}
	d.background.run(d.sweeper.run)
	return d, nil
}

// Close stops assigning jobs, ends every feed and follower with ErrClosed, and
// waits for the dispatcher's goroutines. It may be called more than once.
func (d *Dispatcher) Close() {
	d.records.close()
	d.replicas.stop()
	d.background.stop(ErrClosed)
}

// newID returns a UUIDv7: IDs sort by the time at which they were made.
func newID() string {
	return uuid.Must(uuid.NewV7()).String() // fails only if crypto/rand does, which it never does
}

// background runs goroutines until stop. None starts after that.
type background struct {
	ctx    context.Context //nolint:containedctx // of the goroutines, not of a call
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	stopped bool
}

func newBackground(ctx context.Context) *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return b
}

// run runs f in a goroutine. The context of f ends with stop.
func (b *background) run(f func(ctx context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.wg.Go(func() { f(b.ctx) })
	}
}

// stop ends the goroutines with a cause and waits for them.
func (b *background) stop(cause error) {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.cancel(cause)
	b.wg.Wait()
}
