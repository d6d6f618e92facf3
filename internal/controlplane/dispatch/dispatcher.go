package dispatch

import (
	"context"
	"fmt"
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
	records  *records
	sweeper  *sweeper
	replicas *replicas
	logs     *joblog.Log
	metadata *metadata.Store

	acquireAnyQueue bool

	now     func() time.Time
	started time.Time
	log     *zap.Logger
}

// New reads the stored state and returns once the index is complete. Every lease
// starts with a full term. The caller closes the store, after the dispatcher.
func New(ctx context.Context, st *store.Store, opts Options) (*Dispatcher, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	d := &Dispatcher{metadata: metadata.New(st), now: opts.Clock.Now, log: opts.Logger}
	d.started, d.acquireAnyQueue = d.now(), opts.AcquireAnyQueue
	d.records = newRecords(ctx, st, opts)
	d.records.assign = func(ctx context.Context, c *schedule.Claim) {
		_ = d.assign(ctx, c) // it is logged, and tried again with the next match
	}
	d.replicas = newReplicas(d.records)
	d.sweeper = newSweeper(d.records, d.replicas, opts)
	d.logs = joblog.New(st, d.records, joblog.Config{Grace: opts.LogGrace, MaxSize: opts.MaxLog, Now: d.now, Logger: d.log})
	d.sweeper.logs = d.logs
	if err := d.replicas.listen(); err != nil {
		d.Close()
		return nil, fmt.Errorf("starting the dispatcher: %w", err)
	}
	st.OnReconnect(d.sweeper.renewAll)
	if err := d.records.load(ctx); err != nil {
		d.Close()
		return nil, err
	}
	d.records.run(d.sweeper.run)
	return d, nil
}

// Close stops assigning jobs, ends every feed and follower with ErrClosed, and
// waits for the dispatcher's goroutines. It may be called more than once.
func (d *Dispatcher) Close() {
	d.replicas.leave()
	d.replicas.stop()
	d.records.close()
}

// newID returns a UUIDv7: IDs sort by the time at which they were made.
func newID() string {
	return uuid.Must(uuid.NewV7()).String() // fails only if crypto/rand does, which it never does
}
