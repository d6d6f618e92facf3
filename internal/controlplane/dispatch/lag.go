package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

const (
	// minLagPause and maxLagPause are the first and the longest wait before a record
	// is read again that the store's leader does not have yet.
	minLagPause = 2 * time.Millisecond
	maxLagPause = 100 * time.Millisecond
	// maxLag is how long a leader may be behind a watch; it is milliseconds as a rule.
	maxLag = 5 * time.Second
)

// state is the part of the store in which the records of jobs and workers are.
type state interface {
	Job(ctx context.Context, id string) (record.Job, error)
	Worker(ctx context.Context, id string) (record.Worker, error)
	PutJob(ctx context.Context, job record.Job) (record.Job, error)
	PutWorker(ctx context.Context, worker record.Worker) (record.Worker, error)
	Position(ctx context.Context) (uint64, error)
}

// reading is how a record is read.
type reading[T any] struct {
	what     string // the record, for errors
	read     func(context.Context) (T, error)
	revision func(T) uint64
	known    func() uint64 // the newest revision that this replica has seen, or zero
}

// readKnown reads a record. On a cluster a watch can deliver a record before the
// leader, which serves reads, has applied it. So an older record than the known one
// is read again, and so is a missing one, which is gone only if the leader is past
// the known revision. ErrNotFound; store.ErrUnavailable if the leader stays behind.
func readKnown[T any](ctx context.Context, st state, r reading[T]) (T, error) {
	var none T
	known := r.known()
	passed := false // whether the leader was past the known revision before the read
	wait := minLagPause
	for waited := time.Duration(0); ; waited += wait {
		got, err := r.read(ctx)
		switch {
		case err == nil && r.revision(got) >= known:
			return got, nil
		case err != nil && (!errors.Is(err, store.ErrNotFound) || known == 0 || passed):
			return none, err
		case err != nil:
			position, err := st.Position(ctx)
			if err != nil {
				return none, err //nolint:wrapcheck // the store's errors say what was attempted
			}
			if passed = position >= known; passed {
				continue // a read from now on is not too early
			}
		}
		if waited >= maxLag || ctx.Err() != nil {
			return none, fmt.Errorf("reading %s: %w: its leader has not applied revision %d yet", r.what, store.ErrUnavailable, known)
		}
		pause(ctx, wait)
		wait = min(2*wait, maxLagPause)
	}
}
