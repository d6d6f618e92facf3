package verify

import (
	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// crashes makes the ways in which the agent is killed. If it was about to start the
// job or ran it, the spool says so, and the next process reports an end that was not
// seen. If the machine itself dies, the newest entry of the spool may be lost.
func (x *generator) crashes() {
	if x.may&crashing == 0 {
		return
	}
	w := x.from
	kill := func(kind moveKind, left ending) {
		s := x.add(kind, 0, noEnvironment)
		s.world = s.world.gone(x.situations.number(situationGone), phaseNone)
		if left != noEnding {
			s.world.spool[w.inHand], s.world.jobs[w.inHand] = left, x.jobs.spool(w.jobs[w.inHand])
		}
	}
	switch w.phase {
	case phaseStarting, phaseRunning:
		kill(moveKill, endUnseen)
		kill(moveKillUnsaved, noEnding)
	case phaseDelivering:
		kill(moveKill, w.result)
		kill(moveKillUnsaved, endUnseen)
	case phaseNone, phaseAsking, phaseRejected, phaseLeaving:
		kill(moveKill, noEnding)
	}
}

// ends makes what becomes of a worker whose process has ended: it disconnects, or that
// is lost, and its lease expires. The agent may start again, with another worker.
func (x *generator) ends() {
	w := x.from
	if w.phase == phaseLeaving {
		if s := x.command(moveLeave, workerstate.Disconnected, every); s != nil {
			s.world.phase = phaseNone
		}
		x.add(moveLeaveLost, 0, noEnvironment).world.phase = phaseNone
		return
	}
	x.command(moveLease, workerstate.LeaseExpired, every)
	if x.may&crashing == 0 {
		return
	}
	s := x.add(moveRestart, 0, restarting)
	s.world.worker = x.workers.registered(x.acquired() != 0)
	s.world.machine = x.situations.number(situationInitial())
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		s.world.jobs[job] = x.jobs.reregister(w.jobs[job])
	}
}

// situationInitial returns the situation of a machine before its start.
func situationInitial() situation {
	initial := fsm.Facts{Connection: nowConnection}
	return situate(fsm.Initial, &initial, nowConnection)
}
