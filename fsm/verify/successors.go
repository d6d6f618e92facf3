package verify

import (
	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// The environments. In each of them the worker must reach its goals.
const (
	// allWorks: streams are served and send messages, pings are answered.
	allWorks explore.Environments = 1 << iota
	// streamsFail: pings are answered; no stream ever sends a message, and those
	// that did are lost.
	streamsFail
	// pingsFail: streams are served; every ping fails.
	pingsFail
	// streamsSilent: pings are answered; no stream ever sends a message again,
	// and none ends.
	streamsSilent
	// pingsRefused: streams are served; every ping is refused.
	pingsRefused

	noEnvironment = explore.Disturbance
	every         = allWorks | streamsFail | pingsFail | streamsSilent | pingsRefused
	pingsWork     = allWorks | streamsFail | streamsSilent
)

// successor is a world that may come next.
type successor struct {
	move   move
	in     explore.Environments // in which the move is made
	world  world
	broken string // the property that does not hold in the step or after it
}

// generator makes the successors of worlds.
type generator struct {
	bounds     Bounds
	situations *situations
	from       *world
	next       []successor
	packed     []explore.Successor[packed, move]
	liar       bool // the control plane lies
}

// Canonical returns the state: no two are the same but for names.
func (x *generator) Canonical(p packed) packed { return p }

// Successors returns every state that may come next, in a slice that is valid until
// the next call.
func (x *generator) Successors(p packed) []explore.Successor[packed, move] {
	var w world
	w.unpack(p)
	x.packed = x.packed[:0]
	next := x.successors(&w)
	for i := range next {
		n := &next[i]
		x.packed = append(x.packed, explore.Successor[packed, move]{State: n.world.pack(), Move: n.move, In: n.in, Broken: n.broken})
	}
	return x.packed
}

// add makes a successor of from, which the caller changes.
func (x *generator) add(kind moveKind, arg uint8, in explore.Environments) *successor {
	x.next = append(x.next, successor{move: makeMove(kind, arg), in: in, world: *x.from})
	return &x.next[len(x.next)-1]
}

// event makes a successor in which the machine takes an event, after change.
func (x *generator) event(kind moveKind, arg uint8, in explore.Environments, change func(*world)) {
	s := x.add(kind, arg, in)
	event, _ := s.move.input(x.from)
	if change != nil {
		change(&s.world)
	}
	s.broken = x.situations.apply(&s.world, event)
}

// successors returns every world that may follow, in a slice that is valid
// until the next call.
func (x *generator) successors(w *world) []successor {
	x.next, x.from = x.next[:0], w
	state := x.situations.all[w.machine].state
	switch {
	case state == fsm.Initial:
		x.event(moveStart, x.acquired(), every, nil)
	case state != fsm.Stopped && x.liar:
		x.lies()
		x.timers()
		x.requests()
	case state != fsm.Stopped:
		x.controlPlane()
		x.stream()
		x.ping()
		x.job()
		x.timers()
		x.requests()
	}
	return x.next
}

// acquired returns the job of a worker in mode acquire, or 0.
func (x *generator) acquired() uint8 { return jobNumber(x.situations.config.AcquireJob) }

// timers fire at any time while they are armed. A stream that is up and works sends
// keep-alives: its deadline passes only where streams become silent.
func (x *generator) timers() {
	if x.from.trust {
		in := every
		if x.from.observer.stream == fsm.StreamUp {
			in = streamsSilent
		}
		x.event(moveTrust, 0, in, func(w *world) { w.trust = false })
	}
	if x.from.poll != pollUnarmed {
		x.event(movePoll, 0, every, func(w *world) { w.poll = pollUnarmed })
	}
}

// requests come at any time.
func (x *generator) requests() {
	for _, kind := range []moveKind{moveDrain, moveForce, moveSession, moveIdle, moveUptime} {
		x.event(kind, 0, noEnvironment, nil)
	}
}

func (x *generator) controlPlane() {
	w := x.from
	assigned := w.paused || w.stopping || x.acquired() != 0
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		state := w.jobs[job]
		if !assigned && x.mayAssign(job) && x.canSend() {
			s := x.add(moveAssign, job, noEnvironment)
			s.world.jobs[job] = jobAssigned
			s.world.send(messageJob + job - 1)
		}
		if state.onOffer() || state == jobFresh && x.acquired() == job {
			x.add(moveRequeue, job, noEnvironment).world.jobs[job] = jobQueued
		}
	}
	if w.stopping || !x.canSend() {
		return
	}
	if x.bounds.Pauses == 0 || w.pauses < x.bounds.Pauses || w.paused {
		kind, message, in := movePause, messagePause, noEnvironment
		if w.paused {
			kind, message, in = moveResume, messageResume, every // every pause ends
		}
		s := x.add(kind, 0, in)
		s.world.paused = !w.paused
		s.world.send(message)
		if x.bounds.Pauses > 0 && kind == movePause {
			s.world.pauses++
		}
	}
	s := x.add(moveDisconnect, 0, noEnvironment)
	s.world.stopping = true
	s.world.send(messageDisconnect)
	for job := range s.world.jobs {
		if s.world.jobs[job].onOffer() {
			s.world.jobs[job] = jobQueued
		}
	}
}

// mayAssign reports whether a job can be assigned. Jobs differ only in their
// names, so new ones are assigned in order.
func (x *generator) mayAssign(job uint8) bool {
	state := x.from.jobs[job]
	return state == jobQueued || state == jobFresh && (job == 1 || x.from.jobs[job-1] != jobFresh)
}

func (x *generator) ping() {
	w := x.from
	if w.ping == pingNone {
		return
	}
	answered := func(w *world) { w.ping, w.only = pingNone, false }
	x.event(movePingFails, 0, pingsFail, func(w *world) {
		if w.only { // the assignment of an answer that did not arrive is taken back
			w.jobs[w.ping-pingJob+1] = jobQueued
		}
		answered(w)
	})
	if w.ping != pingSent {
		x.event(moveAnswered, 0, pingsWork|pingsRefused, answered)
		return
	}
	x.event(movePingRefused, 0, pingsRefused, answered)
	offers := 0
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		switch {
		case w.paused || w.stopping:
		case w.jobs[job].onOffer():
			x.add(moveAnswerJob, job, pingsWork).world.ping = pingJob + pingState(job-1)
			offers++
		case w.jobs[job].begun():
			x.add(moveAnswerEcho, job, noEnvironment).world.ping = pingJob + pingState(job-1)
		case x.mayAssign(job):
			x.answerNew(job)
		}
	}
	if offers > 0 {
		return
	}
	truth := map[uint8]pingState{messageResume: pingIdle, messagePause: pingPause, messageDisconnect: pingDisconnect}[w.current()]
	x.add(moveAnswer, 0, pingsWork).world.ping = truth
}

// answerNew makes the answers to the ping with a job that they assign. The answer may be lost,
// so the control plane offers the job on the stream too, if it serves one. A
// control plane whose stream has nothing in flight may leave that out, and take
// the assignment back if the answer is lost.
func (x *generator) answerNew(job uint8) {
	answer := func(kind moveKind) *world {
		s := x.add(kind, job, noEnvironment)
		s.world.ping = pingJob + pingState(job-1)
		s.world.jobs[job] = jobAssigned
		return &s.world
	}
	if x.canSend() {
		answer(moveAnswerNew).send(messageJob + job - 1)
	}
	if x.from.link == linkServed && x.from.queued == 0 {
		answer(moveAnswerOnly).only = true
	}
}

func (x *generator) job() {
	w := x.from
	job := w.inHand
	ours := w.jobs[job].onOffer()
	switch w.phase {
	case phaseNone:
	case phaseAsking:
		if w.jobs[job] == jobAssigned || w.jobs[job] == jobFresh && x.acquired() == job {
			x.add(moveGrant, job, every).world.jobs[job] = jobAccepted
		}
		if w.jobs[job] == jobAccepted {
			s := x.add(moveBegin, job, every)
			s.world.phase, s.world.jobs[job] = phaseRunning, jobRunning
		}
		if !ours && (w.jobs[job] != jobFresh || x.acquired() != job) {
			x.add(moveDeny, job, every).world.phase = phaseRejected
		}
		if w.noRetry || w.canceled {
			x.add(moveGiveUp, job, every).world.phase = phaseRejected
		}
	case phaseRunning:
		s := x.add(moveOver, job, every)
		s.world.phase, s.world.jobs[job] = phaseFinished, jobFinished
	case phaseFinished:
		x.event(moveFinished, job, every, (*world).dropJob)
	case phaseRejected:
		x.event(moveRejected, job, every, (*world).dropJob)
	}
}

func (w *world) dropJob() {
	w.phase, w.inHand, w.polled, w.noRetry, w.canceled = phaseNone, 0, false, false, false
}
