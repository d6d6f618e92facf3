package dispatch

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Feed is the control plane's side of one stream of one worker.
type Feed struct {
	onClose func(*Feed)

	// number tells the feeds of a replica apart; announced is set once the other
	// replicas were told of this one. Both are under the dispatcher's lock.
	number    uint64
	announced bool

	mu      sync.Mutex
	waiting []wire.Instruction
	stands  wire.Instruction
	err     error
	wake    chan struct{}
}

// newFeed begins with what stands, and then the offers.
func newFeed(stands wire.Instruction, offers []string, onClose func(*Feed)) *Feed {
	f := &Feed{onClose: onClose, wake: make(chan struct{}, 1)}
	f.stand(stands)
	for _, id := range offers {
		f.offer(id)
	}
	return f
}

// Next waits for the next instruction. It fails with ErrSuperseded when a newer
// stream took this one's place, ErrClosed after Close or when the dispatcher was
// closed, ErrNotFound when the worker's record has expired, and the context's
// error when that ends. One caller at a time.
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

// Standing is what a keep-alive must say: Resume, Pause or Disconnect, as it
// stands for the worker now. It may be called concurrently.
func (f *Feed) Standing() wire.Instruction {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stands
}

// Close ends the feed; a job that Next did not give stays on offer. It may be
// called more than once.
func (f *Feed) Close() {
	f.onClose(f)
	f.end(ErrClosed)
}

// stand replaces the standing instruction, and one that was not given yet: only
// the last still matters.
func (f *Feed) stand(in wire.Instruction) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stands = in
	f.waiting = slices.DeleteFunc(f.waiting, func(w wire.Instruction) bool { return w.Kind != wire.JobAssigned })
	f.waiting = append(f.waiting, in)
	f.signal()
}

func (f *Feed) offer(jobID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = append(f.waiting, wire.Instruction{Kind: wire.JobAssigned, JobID: jobID})
	f.signal()
}

// withdraw takes back an offer that was not given yet.
func (f *Feed) withdraw(jobID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting = slices.DeleteFunc(f.waiting, func(w wire.Instruction) bool { return w.JobID == jobID })
}

// end makes Next fail; the first reason stays.
func (f *Feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
	f.signal()
}

func (f *Feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// offers are the jobs that a worker was given and has not started, oldest first:
// what a new stream, or a ping, names again.
func (a *workerEntry) offers() []string {
	var ids []string
	for id, j := range a.jobs {
		if j.state == wire.StateAssigned || j.state == wire.StateAccepted {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
