package verify

import (
	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// lies makes what a control plane can do that lies about everything: it sends any
// message and any answer at any time, also about jobs that do not exist. Safety holds
// all the same. When the stream becomes silent and stays open, a worker that may poll
// does, and one that was asked to leave does.
func (x *generator) lies() {
	w := x.from
	if w.link != linkOff {
		for message := messageResume; message < messageJob+x.bounds.Jobs; message++ {
			x.event(moveSay, message, noEnvironment, nil)
		}
		x.event(moveLose, 0, noEnvironment, nil)
		x.event(moveRefuse, 0, noEnvironment, nil)
		x.end()
	}
	if w.ping != pingNone {
		over := func(w *world) { w.ping = pingNone }
		for answer := pingIdle; answer < pingJob+pingState(x.bounds.Jobs); answer++ {
			x.event(moveReply, uint8(answer), noEnvironment, over)
		}
		x.event(movePingFails, 0, streamsSilent, over)
		x.event(movePingRefused, 0, noEnvironment, over)
	}
	switch w.phase {
	case phaseAsking, phaseStarting:
		x.enter(moveBegin, streamsSilent, phaseRunning)
		x.enter(moveDeny, streamsSilent, phaseRejected)
	case phaseRunning:
		x.enter(moveOver, streamsSilent, phaseDelivering)
	case phaseDelivering:
		x.event(moveFinished, w.inHand, streamsSilent, (*world).dropJob)
	case phaseRejected:
		x.event(moveRejected, w.inHand, streamsSilent, (*world).dropJob)
	case phaseNone, phaseLeaving:
	}
}

// liarExpectations returns what a worker must reach when the streams of a control
// plane that lies become silent.
func liarExpectations(m fsm.Mode) []explore.Expectation {
	e := explore.Expectation{
		Name: "with a control plane that lies and streams that stay open and silent", In: streamsSilent, Goals: goalTold,
	}
	if m != fsm.StreamOnly && m != fsm.Acquire {
		e.Goals |= goalPing
	}
	return []explore.Expectation{e}
}
