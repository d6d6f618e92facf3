package verify

import (
	"context"
	"fmt"
)

// goals are what must be reached from every state, if the world behaves from now
// on.
type goals uint8

const (
	goalEnded     goals = 1 << iota // the job has reached a final state; the next bit is that of its retry
	_                               // that of the retry
	goalReleased                    // neither job is with a worker
	goalDelivered                   // no living agent has an undelivered result
)

const goalAllEnded = goalEnded | goalEnded<<1

// reached returns the goals that are reached in a world.
func (s *space) reached(w *world) goals {
	g := goalReleased | goalDelivered
	first := &s.generator.machine.records[w.jobs[0]]
	for job := range uint8(jobCount) {
		r := &s.generator.machine.records[w.jobs[job]]
		submitted := r.state != "" && job > 0 && !s.generator.setting.retry // nothing more is explored of it
		notNeeded := r.state == "" && job > 0 && first.state.Final() && !first.retried
		if r.state.Final() || submitted || notNeeded {
			g |= goalEnded << job
		}
		if r.state.InHand() {
			g &^= goalReleased
		}
	}
	for i := range w.agents {
		for _, u := range w.agents[i].spool {
			if w.agents[i].phase != dead && u.result != noResult {
				g &^= goalDelivered
			}
		}
	}
	return g
}

// expectation is an environment that behaves, and the goals that must be reached in
// it.
type expectation struct {
	in    environments
	goals goals
	name  string
}

var expectations = [...]expectation{
	{agentsRestart, goalAllEnded | goalDelivered, "with a network that works and agents that start again"},
	{agentsGone, goalReleased | goalDelivered, "with a network that works and killed agents that are gone"},
}

func missed(missing goals, environment string) string {
	switch {
	case missing&goalAllEnded != 0:
		return environment + ", a job never reaches a final state"
	case missing&goalReleased != 0:
		return environment + ", a job stays with its worker forever"
	}
	return environment + ", a result is never delivered"
}

// checkLiveness looks for a state from which a goal cannot be reached in an
// environment that behaves. The first such state is on a shortest path.
//
// The space is finite. If a goal can be reached from every state that such an
// environment leads to, then every run that is fair (it does not avoid forever a
// move that is possible again and again) reaches the goal.
func (s *space) checkLiveness(ctx context.Context) error {
	for _, e := range expectations {
		can := make([]goals, len(s.states))
		for i := range can {
			can[i] = s.reached(&s.states[i])
		}
		if err := s.spread(ctx, can, e.in); err != nil {
			return err
		}
		for i, g := range can {
			if missing := e.goals &^ g; missing != 0 {
				s.report(violation{at: uint32(i), in: e.in, broken: missed(missing, e.name)})
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
