package verify

import (
	"context"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// What a worker must reach from every state, if the environment works from now on.
const (
	goalControl   explore.Goals = 1 << iota // the stream is up and in control
	goalLeft                                // the worker has left, if it must
	goalTold                                // the worker has left, if it was asked to, paused or not
	goalPing                                // a ping is in flight
	goalDelivered                           // the agent, if it is there, has no undelivered result
	goalJob                                 // the first job has ended; the next bits are those of the next jobs
)

// goalJobs is every job.
const goalJobs = goalJob | goalJob<<1 | goalJob<<2

// missedGoal returns the violation of a goal that is not reached.
func missedGoal(missing explore.Goals, environment string) string {
	switch {
	case missing&(goalLeft|goalTold) != 0:
		return environment + ", a worker that must leave never does"
	case missing&goalPing != 0:
		return environment + ", a worker that may poll never does"
	case missing&goalJobs != 0:
		return environment + ", a job never ends"
	case missing&goalDelivered != 0:
		return environment + ", a result is never delivered"
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
		g = goalControl | goalLeft | goalTold | goalPing | goalDelivered
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
	if w.phase != phaseDelivering && w.spool == [maxJobs + 1]ending{} {
		g |= goalDelivered
	}
	for job := range uint8(maxJobs) {
		if job >= x.bounds.Jobs || x.jobs.facts[w.jobs[job+1]].over() {
			g |= goalJob << job
		}
	}
	return g
}

func expectations(of subject) []explore.Expectation {
	const jobs = goalJobs | goalDelivered
	var list []explore.Expectation
	expect := func(name string, in explore.Environments, goals explore.Goals) {
		list = append(list, explore.Expectation{Name: name, In: in, Goals: goals})
	}
	switch of.config.Mode {
	case fsm.Auto:
		expect("with streams and pings that work", allWorks, goalControl|goalLeft|jobs)
		expect("with pings that work and streams that do not", streamsFail, goalLeft|jobs)
		expect("with streams that work and pings that do not", pingsFail, goalControl|goalLeft|jobs)
		expect("with pings that work and streams that stay open and silent", streamsSilent, goalLeft|jobs)
		expect("with streams that work and pings that are refused", pingsRefused, goalControl|goalLeft|jobs)
	case fsm.StreamOnly:
		expect("with streams that work", allWorks, goalControl|goalLeft|jobs)
	case fsm.PollOnly, fsm.Acquire:
		expect("with a control plane that answers", allWorks, goalLeft|jobs)
	}
	if of.may&crashing != 0 {
		expect("with killed agents that do not start again", agentsGone, jobs)
	}
	return list
}

// checkLiveness looks for a state from which a goal cannot be reached in an
// environment that works. It returns an error if the context ends.
func (s *space) checkLiveness(ctx context.Context, of subject) error {
	expected := expectations(of)
	if of.liar {
		expected = liarExpectations(of.config.Mode)
	}
	return s.CheckGoals(ctx, expected, s.generator.reached, missedGoal) //nolint:wrapcheck // it says what was interrupted
}
