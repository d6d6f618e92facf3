package verify

import (
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// work makes what the driver does with the job in hand. A request that was carried out
// and whose answer is under way, or lost and requested again, is one that is repeated.
func (x *generator) work() {
	switch x.from.phase {
	case phaseNone, phaseLeaving:
	case phaseAsking:
		x.ask()
	case phaseStarting:
		x.start()
	case phaseRunning:
		x.run()
	case phaseDelivering:
		x.deliver()
	case phaseRejected:
		x.event(moveRejected, x.from.inHand, every, (*world).dropJob)
	}
}

// enter makes a successor in which the driver is in another phase.
func (x *generator) enter(kind moveKind, in explore.Environments, phase jobPhase) *successor {
	s := x.add(kind, x.from.inHand, in)
	s.world.phase = phase
	return s
}

// ask asks for the job. Its answer may be lost.
func (x *generator) ask() {
	w, job := x.from, x.from.inHand
	ev := jobEvent{kind: lifecycle.Accepted, worker: thisWorker, token: heldToken}
	if x.acquired() == job {
		ev.kind = lifecycle.Acquired
	}
	if x.mayAcquire(job) && x.jobs.ask(w.jobs[job], ev).granted {
		if s := x.store(moveGrant, job, every, ev); s != nil {
			s.world.phase = phaseStarting
			x.seen(s)
		}
		ev.token = strangeToken
		if s := x.store(moveGrantLost, job, noEnvironment, ev); s != nil {
			x.seen(s)
		}
	} else {
		x.seen(x.enter(moveDeny, every, phaseRejected))
	}
	if w.noRetry || w.canceled {
		x.enter(moveGiveUp, every, phaseRejected)
	}
}

// mayAcquire reports whether the control plane lets the worker acquire a job: it must
// be available, unless the job is in its hand already.
func (x *generator) mayAcquire(job uint8) bool {
	f := x.job(job)
	return x.acquired() != job || f.worker == thisWorker && f.state.InHand() ||
		x.workers.record(x.from.worker).State == workerstate.Available
}

// start asks to start the job, and starts the process when the start was granted.
// After a lost start it may give up, and not know.
func (x *generator) start() {
	w, job := x.from, x.from.inHand
	f := x.job(job)
	ev := jobEvent{kind: lifecycle.Started, token: heldToken}
	begin := func(s *successor) {
		s.world.phase = phaseRunning
		if s.broken == "" && w.ran&(1<<job) != 0 {
			s.broken = onceBroken
		}
		s.world.ran |= 1 << job
	}
	if x.jobs.ask(w.jobs[job], ev).granted {
		if s := x.store(moveStartStored, job, every, ev); s != nil && x.may&crashing == 0 {
			begin(s) // the answer is not lost, and nobody sees that it takes a while
		}
	} else {
		x.enter(moveDeny, every, phaseRejected)
	}
	if f.held && f.started { // the answer may be under way, whatever has happened since
		begin(x.add(moveBegin, job, every))
	}
	if w.canceled {
		x.enter(moveGiveUp, every, phaseRejected)
		x.enter(moveEndUnstarted, noEnvironment, phaseDelivering).world.result = endedByAgent
	} else if x.may&crashing != 0 {
		x.enter(moveGiveUp, noEnvironment, phaseRejected)
	}
}

// run ends the process: by itself, or because it must. In a world that behaves one
// that must end is ended by its agent.
func (x *generator) run() {
	ended := func(kind moveKind, in explore.Environments, how ending) {
		x.enter(kind, in, phaseDelivering).world.result = how
	}
	byItself := every
	if x.job(x.from.inHand).mustEnd {
		byItself = noEnvironment
		ended(moveInterrupted, every, interrupted)
	}
	if x.from.canceled {
		byItself = noEnvironment
		ended(moveAgentEnds, every, endedByAgent)
	}
	ended(moveOver, byItself, exited)
}

// deliver sends the result until it is answered. It may be given up: then it stays in
// the spool.
func (x *generator) deliver() {
	w, job := x.from, x.from.inHand
	ev := jobEvent{kind: lifecycle.Finished, token: heldToken, ending: w.result}
	if x.store(moveFinishStored, job, every, ev) == nil {
		x.event(moveFinished, job, every, (*world).dropJob)
	}
	if x.may&crashing != 0 {
		x.event(moveUndelivered, job, noEnvironment, func(w *world) {
			w.spool[job], w.jobs[job] = w.result, x.jobs.spool(w.jobs[job])
			w.dropJob()
		})
	}
}

func (w *world) dropJob() {
	w.phase, w.inHand, w.result, w.polled, w.noRetry, w.canceled = phaseNone, 0, noEnding, false, false, false
}

// deliveries makes what the agent does with the results in its spool. One whose end
// was not seen is reported only if the job runs, as far as the control plane knows.
func (x *generator) deliveries() {
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		how := x.from.spool[job]
		if how == noEnding {
			continue
		}
		if how == endUnseen && x.job(job).state != wire.StateRunning {
			x.add(moveDropResult, job, every).world.spool[job] = noEnding
			continue
		}
		ev := jobEvent{kind: lifecycle.Finished, token: spooledToken, ending: how}
		x.store(moveLateLost, job, noEnvironment, ev)
		s := x.store(moveLate, job, every, ev)
		if s == nil {
			s = x.add(moveLate, job, every)
		}
		s.world.spool[job] = noEnding
	}
}
