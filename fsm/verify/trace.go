package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// script writes the way to a violation as a scenario, which package replay runs:
// the events that the machine is told with the answers of the machine that was
// explored, and what happens in the world as remarks.
func (s *space) script(v *violation) string {
	moves := s.way(v)
	c := s.around.machines.config
	t := telling{advance: s.around.machines.advance, facts: fsm.Facts{Mode: c.Mode, RetireAfterJob: c.RetireAfterJob}, connection: 1}
	fmt.Fprintf(&t.text, "# %s.\n", strings.ToUpper(v.broken[:1])+v.broken[1:])
	var w world
	w.unpack(s.states[0])
	for _, m := range moves {
		if h, told := m.happening(&w); told {
			t.tell(c, h)
		} else {
			fmt.Fprintf(&t.text, "# %s.\n", m.describe(&w))
		}
		for _, next := range s.around.successors(&w) {
			if next.move == m {
				w = next.world
				break
			}
		}
	}
	return strings.TrimRight(t.text.String(), "\n") + "\n"
}

// way returns the moves from the beginning to a violation. Where something never
// happens, it goes on, in the weather in which it should, until that leads to
// nothing new.
func (s *space) way(v *violation) []move {
	var moves []move
	for at := v.at; at != 0; at = s.parent[at] {
		moves = append(moves, s.by[at])
	}
	slices.Reverse(moves)
	if v.weather == trouble {
		return append(moves, v.by)
	}
	seen := map[packed]bool{}
	p := s.states[v.at]
	for again := true; again; {
		seen[p] = true
		var w world
		w.unpack(p)
		again = false
		for _, next := range s.around.successors(&w) {
			if to := next.world.pack(); !again && next.weather&v.weather != 0 && next.broken == "" && !seen[to] {
				again, p = true, to
				moves = append(moves, next.move)
			}
		}
	}
	return moves
}

// telling is a scenario in the making, with the epochs of a real worker.
type telling struct {
	advance    Advance
	state      fsm.State
	facts      fsm.Facts
	connection fsm.Epoch
	text       strings.Builder
}

func (t *telling) tell(c fsm.Config, h happening) {
	ev := fsm.Event{Kind: h.kind, Job: jobIDs[h.job]}
	switch {
	case h.kind >= fsm.ReceivedResume && h.kind <= fsm.ReceivedJob || h.endsConnection():
		ev.Epoch = t.connection
	case h.kind == fsm.TrustExpired:
		ev.Epoch = t.facts.Connection
	case h.kind >= fsm.AnsweredIdle && h.kind <= fsm.PollRefused:
		ev.Epoch = t.facts.Ping
	}
	if h.endsConnection() {
		t.connection++
	}
	from := t.state
	var effects []fsm.Effect
	var d fsm.Decision
	t.state, t.facts, effects, d = t.advance(from, &t.facts, ev)
	line := strings.Replace(ev.String(), fsm.Started.String(), "start mode="+c.Mode.String(), 1)
	if h.kind == fsm.Started && c.RetireAfterJob {
		line += " after-job"
	}
	fmt.Fprintf(&t.text, "%s\n----\n%s\n", line, replay.Transition(from, &d, effects))
}
