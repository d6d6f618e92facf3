package verify

import (
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// ping makes what becomes of the ping in flight.
func (x *generator) ping() {
	w := x.from
	if w.ping == pingNone {
		return
	}
	answered := func(w *world) { w.ping, w.only = pingNone, false }
	x.event(movePingFails, 0, pingsFail, func(w *world) {
		if w.only { // the assignment of an answer that did not arrive is withdrawn
			job := w.ping - pingJob + 1
			w.jobs[job] = x.jobs.ask(w.jobs[job], jobEvent{kind: lifecycle.NotAccepted}).to
		}
		answered(w)
	})
	if w.ping != pingSent {
		x.event(moveAnswered, 0, pingsWork|pingsRefused, answered)
		return
	}
	x.event(movePingRefused, 0, pingsRefused, answered)
	x.answers()
}

// answers makes the answers to the ping: the standing instruction, a job on offer, a
// queued job, which is assigned by that, or nothing to do.
func (x *generator) answers() {
	w := x.from
	standing := x.standing(w.worker)
	offers, assigns := false, false
	for job := uint8(1); job <= x.bounds.Jobs && standing == messageResume; job++ {
		switch f := x.job(job); {
		case f.onOffer():
			x.answer(moveAnswerJob, job, pingsWork, pingJob+pingState(job-1))
			offers = true
		case f.begun():
			x.answer(moveAnswerEcho, job, noEnvironment, pingJob+pingState(job-1))
		}
	}
	for job := uint8(1); job <= x.bounds.Jobs && standing == messageResume && !offers; job++ {
		if x.job(job).state == wire.StateQueued && x.workers.record(w.worker).MayBeAssigned() {
			assigns = x.answerNew(job) || assigns
		}
	}
	if offers {
		return
	}
	in := pingsWork
	if assigns {
		in = noEnvironment // another worker has the job, and did not start it yet
	}
	truth := map[uint8]pingState{messageResume: pingIdle, messagePause: pingPause, messageDisconnect: pingDisconnect}[standing]
	x.answer(moveAnswer, 0, in, truth)
}

// answer makes a successor in which the ping is answered.
func (x *generator) answer(kind moveKind, job uint8, in explore.Environments, with pingState) {
	s := x.add(kind, job, in)
	s.world.ping = with
	x.seen(s)
}

// answerNew makes the answers to the ping with a job that they assign, and reports
// whether a world that behaves makes one. The control plane offers the job on the
// stream too, if it serves one. A replica may leave that out, if the stream of another
// has nothing in flight: then it withdraws the assignment if the answer is lost.
func (x *generator) answerNew(job uint8) bool {
	in := noEnvironment
	if x.free() && x.canSend() {
		in = pingsWork
	}
	assign := func(kind moveKind, in explore.Environments) *world {
		s := x.store(kind, job, in, jobEvent{kind: lifecycle.Assigned, worker: thisWorker})
		if s == nil { // a mutant's
			s = x.add(kind, job, in)
		}
		s.world.ping = pingJob + pingState(job-1)
		x.seen(s)
		return &s.world
	}
	if x.canSend() {
		assign(moveAnswerNew, in).send(messageJob + job - 1)
	}
	if x.from.link == linkServed && x.from.queued == 0 {
		assign(moveAnswerOnly, noEnvironment).only = true
	}
	return in != noEnvironment
}
