package schedule

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Stream is an open stream of a worker on this replica. The index calls it
// with the instructions for the worker. Its methods must not block or use the index.
type Stream interface {
	// SetStanding replaces the standing instruction: resume, pause or disconnect.
	SetStanding(in wire.Instruction)
	// Offer queues a job for delivery.
	Offer(jobID string)
	// Withdraw removes a job that was not delivered yet.
	Withdraw(jobID string)
	// End ends the stream with err.
	End(err error)
}

// standing returns the instruction for a worker to which no job is offered.
func standing(w record.Worker) wire.Instruction {
	switch w.Standing() {
	case workerstate.Draining, workerstate.Stopped:
		return wire.Instruction{Kind: wire.Disconnect, Reason: w.StopReason}
	case workerstate.Paused:
		return wire.Instruction{Kind: wire.Pause, Reason: w.PauseReason}
	case workerstate.Available, workerstate.Lost, workerstate.Left:
	}
	return wire.Instruction{Kind: wire.Resume}
}

// offers returns the jobs that a worker was given and has not started, oldest
// first: a new stream and a ping name them again.
func (w *workerEntry) offers() []string {
	var ids []string
	for id, j := range w.jobs {
		if j.state == wire.StateAssigned || j.state == wire.StateAccepted {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Attach makes s the stream of a worker and hands it the standing instruction
// and the offers. It returns the stream that it supersedes, if any; ok is false if the
// worker is not known.
func (x *Index) Attach(workerID string, s Stream) (superseded Stream, ok bool) {
	w := x.workers[workerID]
	if w == nil {
		return nil, false
	}
	superseded = w.stream
	if x.noStreams != nil {
		s.End(x.noStreams)
	}
	s.SetStanding(standing(w.record))
	for _, id := range w.offers() {
		s.Offer(id)
		w.jobs[id].route.Stream = true
	}
	x.streamCount++
	w.epoch++
	w.stream, w.streamNumber, w.streamEpoch = s, x.streamCount, w.epoch
	w.announced, w.raised, w.otherReplica = false, false, ""
	w.freeSince = streamOpened
	w.changed(happening{what: streamOpened})
	x.setTrust(w, trusted, w.quiet)
	x.setIdle(w)
	return superseded, true
}

// Detach removes the stream s of a worker and reports whether it was still the
// worker's stream.
func (x *Index) Detach(workerID string, s Stream) bool {
	w := x.workers[workerID]
	if w == nil || w.stream != s {
		return false
	}
	w.stream = nil
	w.changed(happening{what: streamEnded})
	x.setIdle(w)
	return true
}

// Close stops the making of claims and ends every stream with err.
func (x *Index) Close(err error) {
	x.closed = true
	x.EndStreams(err)
}

// EndStreams ends every stream with err, and those that are attached later.
func (x *Index) EndStreams(err error) {
	x.noStreams = err
	for _, w := range x.workers {
		if w.stream != nil {
			w.stream.End(err)
		}
	}
}

// Ping returns the response to a ping of a worker: the standing instruction, or
// the job that was given to it and is not started, or resume if it has nothing to
// do. Where that depends on a write it returns, instead, a claim that the caller
// must write, or a channel that is closed when a pending claim has ended.
func (x *Index) Ping(workerID string, now time.Time) (in wire.Instruction, claim *Claim, pending <-chan struct{}) {
	in = wire.Instruction{Kind: wire.Resume}
	w := x.workers[workerID]
	if w == nil {
		return in, nil, nil // it expired just now; the next ping reports that
	}
	if in = standing(w.record); in.Kind != wire.Resume {
		return in, nil, nil
	}
	if offers := w.offers(); len(offers) > 0 {
		w.jobs[offers[0]].route.Ping = true
		return wire.Instruction{Kind: wire.JobAssigned, JobID: offers[0]}, nil, nil
	}
	for _, j := range w.jobs {
		j.pinged(now)
	}
	if w.claim != nil {
		return in, nil, w.claim.done
	}
	return in, x.claimReady(w), nil
}
