package dispatch

import (
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Feed has the instructions for one stream of one worker. It implements
// schedule.Stream. No goroutine waits for them: the one that delivers them is started when
// there are any, see Notify.
type Feed struct {
	workerID, workerName, queue string

	onClose func(*Feed)

	mu       sync.Mutex
	notify   func() // nil while somebody takes instructions
	waiting  []wire.Instruction
	standing wire.Instruction
	err      error
}

func newFeed(worker record.Worker, onClose func(*Feed)) *Feed {
	return &Feed{
		workerID: worker.ID, workerName: worker.Name, queue: worker.Queue,
		onClose: onClose,
	}
}

// Worker returns the ID, the name and the queue of the stream's worker.
func (f *Feed) Worker() (id, name, queue string) { return f.workerID, f.workerName, f.queue }

// Notify registers a function that is called once, in a goroutine of its own, as soon as Take
// returns an instruction or fails. It replaces one that was not called yet. It may be called
// concurrently.
func (f *Feed) Notify(call func()) {
	f.edit(func() { f.notify = call })
}

// Take returns the next instruction; ok is false if there is none so far. It fails with
// ErrSuperseded if a newer stream replaced this one, ErrClosed after Close or when the
// dispatcher was closed, ErrNotFound if the worker's record has expired, and a
// *record.RevokedError if the worker was revoked. It may be called concurrently.
func (f *Feed) Take() (next wire.Instruction, ok bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil || len(f.waiting) == 0 {
		return wire.Instruction{}, false, f.err
	}
	next = f.waiting[0]
	if f.waiting = slices.Delete(f.waiting, 0, 1); len(f.waiting) == 0 {
		f.waiting = nil // most streams have none for hours
	}
	return next, true, nil
}

// Repeat queues the standing instruction again, unless it waits already; also if a job waits,
// which may be withdrawn. It may be called concurrently.
func (f *Feed) Repeat() {
	f.edit(func() {
		if !slices.ContainsFunc(f.waiting, isStanding) {
			f.waiting = append(f.waiting, f.standing)
		}
	})
}

// Close ends the feed. A job that Take did not return stays assigned. It may be
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
		f.waiting = slices.DeleteFunc(f.waiting, isStanding)
		f.waiting = append(f.waiting, in)
	})
}

// isStanding reports whether an instruction is resume, pause or disconnect.
func isStanding(in wire.Instruction) bool { return in.Kind != wire.JobAssigned }

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

// End implements schedule.Stream: Take fails with err. The first error stays.
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
	if f.notify != nil && (f.err != nil || len(f.waiting) > 0) {
		go f.notify()
		f.notify = nil
	}
}
