package verify

import (
	"context"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// What a worker must reach from every state, if the environment works from now on.
const (
	goalControl explore.Goals = 1 << iota // the stream is up and in control
	goalLeft                              // the worker has left, if it must
	goalTold                              // the worker has left, if it was asked to, paused or not
	goalPing                              // a ping is in flight
	goalJob                               // the first job was started, if it is on offer; the next bits are those of the next jobs
)

// missedGoal returns the violation of a goal that is not reached.
func missedGoal(missing explore.Goals, environment string) string {
	switch {
	case missing&(goalLeft|goalTold) != 0:
		return environment + ", a worker that must leave never does"
	case missing&goalPing != 0:
		return environment + ", a worker that may poll never does"
	case missing&^goalControl != 0:
		return environment + ", a job on offer is never started"
	}
	return environment + ", the stream never takes control back"
}

// reached returns the goals that are reached in a world.
func (x *generator) reached(p packed) explore.Goals {
	var w world
	w.unpack(p)
	at := x.situations.all[w.machine].state
	o := &w.observer
	var g explore.Goals
	if at == fsm.Stopped {
		return ^explore.Goals(0) // what was on offer is offered to other workers
	}
	if at.Owner() == fsm.OwnerStream && o.stream == fsm.StreamUp {
		g |= goalControl
	}
	if o.leave == fsm.Staying && o.retire == fsm.Staying {
		g |= goalLeft
	}
	if o.leave == fsm.Staying {
		g |= goalTold
	}
	if w.ping != pingNone {
		g |= goalPing
	}
	for job := range uint8(maxJobs) {
		if !w.jobs[job+1].onOffer() {
			g |= goalJob << job
		}
	}
	return g
}

func expectations(m fsm.Mode) []explore.Expectation {
	const jobs = (goalJob<<maxJobs - 1) &^ (goalControl | goalLeft | goalTold | goalPing)
	switch m {
	case fsm.Auto:
		return []explore.Expectation{
			{Name: "with streams and pings that work", In: allWorks, Goals: goalControl | goalLeft | jobs},
			{Name: "with pings that work and streams that do not", In: streamsFail, Goals: goalLeft | jobs},
			{Name: "with streams that work and pings that do not", In: pingsFail, Goals: goalControl | goalLeft | jobs},
			{Name: "with pings that work and streams that stay open and silent", In: streamsSilent, Goals: goalLeft | jobs},
			{Name: "with streams that work and pings that are refused", In: pingsRefused, Goals: goalControl | goalLeft | jobs},
		}
	case fsm.StreamOnly:
		return []explore.Expectation{{Name: "with streams that work", In: allWorks, Goals: goalControl | goalLeft | jobs}}
	case fsm.PollOnly, fsm.Acquire:
	}
	return []explore.Expectation{{Name: "with a control plane that answers", In: allWorks, Goals: goalLeft | jobs}}
}

// checkLiveness looks for a state from which a goal cannot be reached in an
// environment that works. It returns an error if the context ends.
func (s *space) checkLiveness(ctx context.Context, m fsm.Mode) error {
	expected := expectations(m)
	if s.generator.liar {
		expected = liarExpectations(m)
	}
	return s.CheckGoals(ctx, expected, s.generator.reached, missedGoal) //nolint:wrapcheck // it says what was interrupted
}
