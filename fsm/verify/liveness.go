package verify

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// goals are what a worker must reach from every state, if the environment works
// from now on. A goal that does not apply in a state counts as reached.
type goals uint8

const (
	goalControl goals = 1 << iota // the stream is up and in control
	goalLeft                      // the worker has left, if it must
	goalTold                      // the worker has left, if it was asked to, paused or not
	goalPing                      // a ping is in flight
	goalJob                       // the first job was started, if it is on offer; the next bits are those of the next jobs
)

// missedGoal returns the violation of a goal that is not reached.
func missedGoal(missing goals, environment string) string {
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
func (s *space) reached(w *world) goals {
	at := s.generator.situations.all[w.machine].state
	o := &w.observer
	var g goals
	if at == fsm.Stopped {
		return ^goals(0) // what was on offer is offered to other workers
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

// expectation is an environment that works, and the goals that must be reached in
// it.
type expectation struct {
	name  string
	in    environments
	goals goals
}

func expectations(m fsm.Mode) []expectation {
	const jobs = (goalJob<<maxJobs - 1) &^ (goalControl | goalLeft | goalTold | goalPing)
	switch m {
	case fsm.Auto:
		return []expectation{
			{"with streams and pings that work", allWorks, goalControl | goalLeft | jobs},
			{"with pings that work and streams that do not", streamsFail, goalLeft | jobs},
			{"with streams that work and pings that do not", pingsFail, goalControl | goalLeft | jobs},
			{"with pings that work and streams that stay open and silent", streamsSilent, goalLeft | jobs},
			{"with streams that work and pings that are refused", pingsRefused, goalControl | goalLeft | jobs},
		}
	case fsm.StreamOnly:
		return []expectation{{"with streams that work", allWorks, goalControl | goalLeft | jobs}}
	case fsm.PollOnly, fsm.Acquire:
	}
	return []expectation{{"with a control plane that answers", allWorks, goalLeft | jobs}}
}

// checkLiveness looks for a state from which a goal cannot be reached in an
// environment that works. The first such state is on a shortest path.
//
// The space is finite. If a goal can be reached from every state that such an
// environment leads to, then every run that is fair (it does not avoid forever a
// move that is possible again and again) reaches the goal.
//
// It returns an error if the context ends.
func (s *space) checkLiveness(ctx context.Context, m fsm.Mode) error {
	expected := expectations(m)
	if s.generator.liar {
		expected = liarExpectations(m)
	}
	for _, e := range expected {
		can := make([]goals, len(s.states))
		for i := range can {
			var w world
			w.unpack(s.states[i])
			can[i] = s.reached(&w)
		}
		if err := s.spread(ctx, can, e.in); err != nil {
			return err
		}
		for i, g := range can {
			if missing := e.goals &^ g; missing != 0 {
				s.report(violation{at: uint32(i), in: e.in, broken: missedGoal(missing, e.name)})
			}
		}
	}
	return nil
}

// spread adds to the goals of every state those that its successors in the
// environment can reach.
func (s *space) spread(ctx context.Context, can []goals, in environments) error {
	for changed := true; changed; {
		if ctx.Err() != nil {
			return fmt.Errorf("checking liveness: %w", context.Cause(ctx))
		}
		changed = false
		for i := len(can) - 1; i >= 0; i-- {
			g := can[i]
			for _, e := range s.edges[s.first[i]:s.first[i+1]] {
				if e.in&in != 0 {
					g |= can[e.to]
				}
			}
			if g != can[i] {
				can[i] = g
				changed = true
			}
		}
	}
	return nil
}
