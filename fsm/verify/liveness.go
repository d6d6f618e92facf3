package verify

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// goals are what a worker must get to from wherever it is, if the world behaves
// from now on. A goal that does not apply in a state counts as reached in it.
type goals uint8

const (
	goalControl goals = 1 << iota // the stream is up and in control
	goalLeft                      // the worker has left, if it was to
	goalJob                       // the first job was started, if it is on offer; the next bits are those of the next jobs
)

func goalNames(missing goals, weather string) string {
	switch {
	case missing&goalLeft != 0:
		return weather + ", a worker that is to leave never does"
	case missing&^goalControl != 0:
		return weather + ", a job on offer is never started"
	}
	return weather + ", the stream never takes control back"
}

// reached returns the goals that are reached in a world.
func (s *space) reached(w *world) goals {
	at := s.around.machines.situations[w.machine].state
	o := &w.observer
	var g goals
	if at == fsm.Stopped {
		return ^goals(0) // what was on offer is offered elsewhere
	}
	if (at == fsm.StreamHealthy || at == fsm.Running) && o.stream == fsm.StreamUp {
		g |= goalControl
	}
	if o.leave == fsm.Staying && o.retire == fsm.Staying {
		g |= goalLeft
	}
	for job := range uint8(maxJobs) {
		if !w.jobs[job+1].onOffer() {
			g |= goalJob << job
		}
	}
	return g
}

// climate is a kind of well-behaved world, and what must be reached in it.
type climate struct {
	name    string
	weather weather
	expect  goals
}

// climates returns the well-behaved worlds that a worker must get on in.
func climates(m fsm.Mode) []climate {
	const jobs = (goalJob<<maxJobs - 1) &^ (goalControl | goalLeft)
	switch m {
	case fsm.Auto:
		return []climate{
			{"with streams and pings that work", fair, goalControl | goalLeft | jobs},
			{"with pings that work and streams that do not", streamless, goalLeft | jobs},
			{"with streams that work and pings that do not", pingless, goalControl | goalLeft | jobs},
		}
	case fsm.StreamOnly:
		return []climate{{"with streams that work", fair, goalControl | goalLeft | jobs}}
	case fsm.PollOnly, fsm.Acquire:
	}
	return []climate{{"with a control plane that answers", fair, goalLeft | jobs}}
}

// live looks for a state from which some goal is out of reach in a well-behaved
// world. The first of them is on a shortest way.
//
// In a finite space, a goal that can be reached from wherever a well-behaved
// world leads is reached in the end by every world that behaves and does not
// for ever avoid something that it could do again and again.
//
// An error says that the context ended.
func (s *space) live(ctx context.Context, m fsm.Mode) error {
	for _, c := range climates(m) {
		can := make([]goals, len(s.states))
		for i := range can {
			var w world
			w.unpack(s.states[i])
			can[i] = s.reached(&w)
		}
		if err := s.spread(ctx, can, c.weather); err != nil {
			return err
		}
		for i, g := range can {
			if missing := c.expect &^ g; missing != 0 {
				s.violated(violation{at: uint32(i), weather: c.weather, broken: goalNames(missing, c.name)})
			}
		}
	}
	return nil
}

// spread lets every state reach what one of those after it reaches.
func (s *space) spread(ctx context.Context, can []goals, in weather) error {
	for changed := true; changed; {
		if ctx.Err() != nil {
			return fmt.Errorf("looking for what never happens: %w", context.Cause(ctx))
		}
		changed = false
		for i := len(can) - 1; i >= 0; i-- {
			g := can[i]
			for _, e := range s.edges[s.first[i]:s.first[i+1]] {
				if e.weather&in != 0 {
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
