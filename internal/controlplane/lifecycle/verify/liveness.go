package verify

import (
	"context"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// What must be reached from every state, if the world behaves from now on.
const (
	goalEnded     explore.Goals = 1 << iota // the job has reached a final state; the next bit is that of its retry
	_                                       // that of the retry
	goalReleased                            // neither job is with a worker
	goalDelivered                           // no living agent has an undelivered result
)

const goalAllEnded = goalEnded | goalEnded<<1

// reached returns the goals that are reached in a world.
func (g *generator) reached(w world) explore.Goals {
	done := goalReleased | goalDelivered
	first := &g.machine.records[w.jobs[0]]
	for job := range uint8(jobCount) {
		r := &g.machine.records[w.jobs[job]]
		submitted := r.state != "" && job > 0 && !g.setting.retry // nothing more is explored of it
		notNeeded := r.state == "" && job > 0 && first.state.Final() && !first.retried
		if r.state.Final() || submitted || notNeeded {
			done |= goalEnded << job
		}
		if r.state.InHand() {
			done &^= goalReleased
		}
	}
	for i := range w.agents {
		for _, u := range w.agents[i].spool {
			if w.agents[i].phase != dead && u.result != noResult {
				done &^= goalDelivered
			}
		}
	}
	return done
}

var expectations = []explore.Expectation{
	{In: agentsRestart, Goals: goalAllEnded | goalDelivered, Name: "with a network that works and agents that start again"},
	{In: agentsGone, Goals: goalReleased | goalDelivered, Name: "with a network that works and killed agents that are gone"},
}

func missed(missing explore.Goals, environment string) string {
	switch {
	case missing&goalAllEnded != 0:
		return environment + ", a job never reaches a final state"
	case missing&goalReleased != 0:
		return environment + ", a job stays with its worker forever"
	}
	return environment + ", a result is never delivered"
}

// checkLiveness looks for a state from which a goal cannot be reached in an
// environment that behaves. It returns an error if the context ends.
func (s *space) checkLiveness(ctx context.Context) error {
	return s.CheckGoals(ctx, expectations, s.generator.reached, missed) //nolint:wrapcheck // it says what was interrupted
}
