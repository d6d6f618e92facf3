package verify

import "github.com/switchyard-ci/switchyard/fsm"

// weather says in which well-behaved worlds a move is made. In each of them the
// worker must get somewhere; a move of none of them is mere trouble.
type weather uint8

const (
	// fair: streams are served and speak, pings are answered.
	fair weather = 1 << iota
	// streamless: pings are answered; no stream ever speaks, and those that did
	// are lost.
	streamless
	// pingless: streams are served; every ping fails.
	pingless

	trouble weather = 0
	always          = fair | streamless | pingless
)

// successor is a world that may come next.
type successor struct {
	move    move
	weather weather
	world   world
	broken  string // the property that does not hold on the way to it, or in it
}

// surroundings makes the successors of worlds.
type surroundings struct {
	bounds   Bounds
	machines *machines
	from     *world
	next     []successor
}

// add makes a successor of from, which the caller changes.
func (x *surroundings) add(kind moveKind, arg uint8, in weather) *successor {
	x.next = append(x.next, successor{move: makeMove(kind, arg), weather: in, world: *x.from})
	return &x.next[len(x.next)-1]
}

// tell makes a successor in which the machine was told something, after change
// was made.
func (x *surroundings) tell(kind moveKind, arg uint8, in weather, change func(*world)) {
	s := x.add(kind, arg, in)
	h, _ := s.move.happening(x.from)
	if change != nil {
		change(&s.world)
	}
	s.broken = x.machines.tell(&s.world, h)
}

// successors returns every world that may follow, in a slice that is valid
// until the next call.
func (x *surroundings) successors(w *world) []successor {
	x.next, x.from = x.next[:0], w
	state := x.machines.situations[w.machine].state
	switch {
	case state == fsm.Initial:
		x.tell(moveStart, x.acquired(), always, nil)
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

func (x *surroundings) acquired() uint8 { return jobNumber(x.machines.config.AcquireJob) }

// timers fire when they are armed.
func (x *surroundings) timers() {
	if x.from.trust {
		x.tell(moveTrust, 0, always, func(w *world) { w.trust = false })
	}
	if x.from.poll != pollUnarmed {
		x.tell(movePoll, 0, always, func(w *world) { w.poll = pollUnarmed })
	}
}

// requests come at any time.
func (x *surroundings) requests() {
	for _, kind := range []moveKind{moveDrain, moveForce, moveSession, moveIdle, moveUptime} {
		x.tell(kind, 0, trouble, nil)
	}
}

func (x *surroundings) controlPlane() {
	w := x.from
	assigned := w.paused || w.stopping || x.acquired() != 0
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		state := w.jobs[job]
		if !assigned && x.mayAssign(job) && x.canSend() {
			s := x.add(moveAssign, job, trouble)
			s.world.jobs[job] = jobAssigned
			s.world.send(messageJob + job - 1)
		}
		if state.onOffer() || state == jobFresh && x.acquired() == job {
			x.add(movePutBack, job, trouble).world.jobs[job] = jobQueued
		}
	}
	if w.stopping || x.acquired() != 0 || !x.canSend() {
		return
	}
	if x.bounds.Pauses == 0 || w.pauses < x.bounds.Pauses || w.paused {
		kind, message, in := movePause, messagePause, trouble
		if w.paused {
			kind, message, in = moveResume, messageResume, always // no pause lasts for ever
		}
		s := x.add(kind, 0, in)
		s.world.paused = !w.paused
		s.world.send(message)
		if x.bounds.Pauses > 0 && kind == movePause {
			s.world.pauses++
		}
	}
	s := x.add(moveDisconnect, 0, trouble)
	s.world.stopping = true
	s.world.send(messageDisconnect)
	for job := range s.world.jobs {
		if s.world.jobs[job].onOffer() {
			s.world.jobs[job] = jobQueued
		}
	}
}

// mayAssign tells whether a job is free to be assigned. Jobs differ in nothing
// but their names, so those that were never assigned are taken in order.
func (x *surroundings) mayAssign(job uint8) bool {
	state := x.from.jobs[job]
	return state == jobQueued || state == jobFresh && (job == 1 || x.from.jobs[job-1] != jobFresh)
}

func (x *surroundings) ping() {
	w := x.from
	if w.ping == pingNone {
		return
	}
	answered := func(w *world) { w.ping, w.only = pingNone, false }
	x.tell(movePingFails, 0, pingless, func(w *world) {
		if w.only { // an answer that did not arrive is taken back
			w.jobs[w.ping-pingJob+1] = jobQueued
		}
		answered(w)
	})
	if w.ping != pingSent {
		x.tell(moveAnswered, 0, fair|streamless, answered)
		return
	}
	x.tell(movePingRefused, 0, trouble, answered)
	offers := 0
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		switch {
		case w.paused || w.stopping:
		case w.jobs[job].onOffer():
			x.add(moveAnswerJob, job, fair|streamless).world.ping = pingJob + pingState(job-1)
			offers++
		case w.jobs[job].begun():
			x.add(moveAnswerEcho, job, trouble).world.ping = pingJob + pingState(job-1)
		case x.mayAssign(job):
			x.answerNew(job)
		}
	}
	if offers > 0 {
		return
	}
	truth := map[uint8]pingState{messageResume: pingIdle, messagePause: pingPause, messageDisconnect: pingDisconnect}[w.standing()]
	x.add(moveAnswer, 0, fair|streamless).world.ping = truth
}

// answerNew answers the ping with a job that it assigns. The answer may be lost:
// a control plane tells the stream too, if it serves one. One that has been heard
// on the stream may leave that out, and take the job back if the answer is lost.
func (x *surroundings) answerNew(job uint8) {
	told := func(kind moveKind) *world {
		s := x.add(kind, job, trouble)
		s.world.ping = pingJob + pingState(job-1)
		s.world.jobs[job] = jobAssigned
		return &s.world
	}
	if x.canSend() {
		told(moveAnswerNew).send(messageJob + job - 1)
	}
	if x.from.link == linkServed && x.from.queued == 0 {
		told(moveAnswerOnly).only = true
	}
}

func (x *surroundings) job() {
	w := x.from
	job := w.inHand
	ours := w.jobs[job].onOffer()
	switch w.phase {
	case phaseNone:
	case phaseAsking:
		if w.jobs[job] == jobAssigned || w.jobs[job] == jobFresh && x.acquired() == job {
			x.add(moveGrant, job, always).world.jobs[job] = jobAccepted
		}
		if w.jobs[job] == jobAccepted {
			s := x.add(moveBegin, job, always)
			s.world.phase, s.world.jobs[job] = phaseRunning, jobRunning
		}
		if !ours && (w.jobs[job] != jobFresh || x.acquired() != job) {
			x.add(moveDeny, job, always).world.phase = phaseRejected
		}
		if w.notAskMore || w.cancelled {
			x.add(moveGiveUp, job, always).world.phase = phaseRejected
		}
	case phaseRunning:
		s := x.add(moveOver, job, always)
		s.world.phase, s.world.jobs[job] = phaseFinished, jobFinished
	case phaseFinished:
		x.tell(moveFinished, job, always, (*world).dropJob)
	case phaseRejected:
		x.tell(moveRejected, job, always, (*world).dropJob)
	}
}

func (w *world) dropJob() {
	w.phase, w.inHand, w.polled, w.notAskMore, w.cancelled = phaseNone, 0, false, false, false
}
