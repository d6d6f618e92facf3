package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Feed delivers instructions to one stream of one worker. It implements
// schedule.Stream.
type Feed struct {
	worker  record.Worker
	onClose func(*Feed)
	wake    chan struct{}

	mu       sync.Mutex
	waiting  []wire.Instruction
	standing wire.Instruction
	err      error
}

func newFeed(worker record.Worker, onClose func(*Feed)) *Feed {
	return &Feed{worker: worker, onClose: onClose, wake: make(chan struct{}, 1)}
}

// Worker returns the record of the stream's worker, as it was when the feed was
// made.
func (f *Feed) Worker() record.Worker { return f.worker }

// Next waits for the next instruction. It fails with ErrSuperseded if a newer
// stream replaced this one, ErrClosed after Close or when the dispatcher was
// closed, ErrNotFound if the worker's record has expired, a *record.RevokedError if the
// worker was revoked, and the context's error.
// It must not be called concurrently.
func (f *Feed) Next(ctx context.Context) (wire.Instruction, error) {
	for {
		f.mu.Lock()
		if f.err != nil {
			f.mu.Unlock()
			return wire.Instruction{}, f.err
		}
		if len(f.waiting) > 0 {
			next := f.waiting[0]
			f.waiting = slices.Delete(f.waiting, 0, 1)
			f.mu.Unlock()
			return next, nil
		}
		f.mu.Unlock()
		select {
		case <-f.wake:
		case <-ctx.Done():
			return wire.Instruction{}, fmt.Errorf("waiting for an instruction: %w", context.Cause(ctx))
		}
	}
}

// Standing returns what a keep-alive must repeat: Resume, Pause or Disconnect. It
// may be called concurrently.
func (f *Feed) Standing() wire.Instruction {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.standing
}

// Close ends the feed. A job that Next did not return stays assigned. It may be
// called more than once.
func (f *Feed) Close() {
	f.onClose(f)
	f.End(ErrClosed)
}

// SetStanding implements schedule.Stream. An older standing instruction that was
// not delivered is dropped.
func (f *Feed) SetStanding(in wire.Instruction) {
	f.edit(func() {
		f.standing = in
		f.waiting = slices.DeleteFunc(f.waiting, func(w wire.Instruction) bool { return w.Kind != wire.JobAssigned })
		f.waiting = append(f.waiting, in)
	})
}

// Offer implements schedule.Stream.
func (f *Feed) Offer(jobID string) {
	f.edit(func() { f.waiting = append(f.waiting, wire.Instruction{Kind: wire.JobAssigned, JobID: jobID}) })
}

// Withdraw implements schedule.Stream.
func (f *Feed) Withdraw(jobID string) {
	f.edit(func() {
		f.waiting = slices.DeleteFunc(f.waiting, func(w wire.Instruction) bool { return w.JobID == jobID })
	})
}

// End implements schedule.Stream: Next fails with err. The first error stays.
func (f *Feed) End(err error) {
	f.edit(func() {
		if f.err == nil {
			f.err = err
		}
	})
}

func (f *Feed) edit(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
