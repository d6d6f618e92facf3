package dispatch

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Ping returns the response to a worker's ping: Disconnect if it must drain, Pause,
// the job that it was given and did not start, the best job of its queue, which
// this call assigns, or Resume if there is nothing to do. A worker whose job runs
// receives Resume. ErrNotFound; ErrWrongState if the worker disconnected.
func (d *Dispatcher) Ping(ctx context.Context, workerID string) (in wire.Instruction, err error) {
	if err := d.renew(ctx, workerID); err != nil {
		return in, err
	}
	for range store.MaxConflicts {
		var claim *schedule.Claim
		var pending <-chan struct{}
		d.records.view(func(x *schedule.Index) { in, claim, pending = x.Ping(workerID, d.now()) })
		switch {
		case pending != nil: // an assignment to the worker is being written
			select {
			case <-pending:
			case <-ctx.Done():
				return in, fmt.Errorf("waiting for an assignment: %w", context.Cause(ctx))
			}
		case claim != nil:
			// A job that cannot be assigned is postponed, and no fault of this worker:
			// the next job is tried.
			if err := d.assign(ctx, claim); err != nil && wasUnanswered(err) {
				return in, fmt.Errorf("assigning a job: %w", err)
			}
		default:
			return in, nil
		}
	}
	return wire.Instruction{Kind: wire.Resume}, nil // others took every job; the worker pings again
}

// Attach opens a worker's stream. The feed's first instruction is ready at once:
// the standing Resume, Pause or Disconnect, then the jobs that were not started. An
// older feed of the worker ends with ErrSuperseded. A lost worker becomes connected
// again. The caller must close the feed. ErrNotFound; ErrWrongState if the worker
// disconnected; ErrClosed.
func (d *Dispatcher) Attach(ctx context.Context, workerID string) (*Feed, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return nil, err
	}
	worker, err := d.records.findWorker(ctx, workerID)
	if err != nil {
		return nil, err
	}
	feed := newFeed(worker, func(f *Feed) { d.detach(workerID, f) })
	d.records.update(func(x *schedule.Index) {
		if d.records.closed {
			err = ErrClosed
			return
		}
		superseded, ok := x.Attach(workerID, feed)
		if !ok {
			err = fmt.Errorf("worker %s: %w", workerID, ErrNotFound)
		}
		if superseded != nil {
			superseded.End(ErrSuperseded)
		}
	})
	if err != nil {
		return nil, err
	}
	d.replicas.announce(workerID)
	return feed, nil
}

// EndStreams ends all feeds, and those that are opened later, with ErrClosed, when the
// server begins to shut down. It may be called concurrently.
func (d *Dispatcher) EndStreams() {
	d.records.view(func(x *schedule.Index) { x.EndStreams(ErrClosed) })
}

// detach removes a feed, unless a newer one has replaced it.
func (d *Dispatcher) detach(workerID string, f *Feed) {
	detached := false
	d.records.update(func(x *schedule.Index) { detached = x.Detach(workerID, f) })
	if detached {
		d.replicas.send(signal{Detached: workerID})
	}
}
