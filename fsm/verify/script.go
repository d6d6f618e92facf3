package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// script returns the path to a violation as a scenario for package replay: the
// events with the answers of the machine that was explored, and everything else
// that happens as comments.
func (s *space) script(v *violation) string {
	config := s.generator.situations.config
	out := scriptWriter{config: config, advance: s.generator.situations.advance, connection: 1, facts: config.Facts()}
	fmt.Fprintf(&out.text, "# %s.\n", capitalized(v.broken))
	var w world
	w.unpack(s.states[0])
	for _, m := range s.path(v) {
		if in, ok := m.input(&w); ok {
			out.step(in)
		} else {
			fmt.Fprintf(&out.text, "# %s.\n", capitalized(m.describe()))
		}
		for _, next := range s.generator.successors(&w) {
			if next.move == m {
				w = next.world
				break
			}
		}
	}
	return strings.TrimRight(out.text.String(), "\n") + "\n"
}

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// path returns the moves from the beginning to a violation. For a violation of
// liveness it continues in the environment where the goal should be reached,
// until that leads to no new state.
func (s *space) path(v *violation) []move {
	var moves []move
	for at := v.at; at != 0; at = s.parent[at] {
		moves = append(moves, s.by[at])
	}
	slices.Reverse(moves)
	if v.in == noEnvironment {
		return append(moves, v.by)
	}
	seen := map[packed]bool{}
	p := s.states[v.at]
	for again := true; again; {
		seen[p] = true
		var w world
		w.unpack(p)
		again = false
		for _, next := range s.generator.successors(&w) {
			if to := next.world.pack(); !again && next.in&v.in != 0 && next.broken == "" && !seen[to] {
				again, p = true, to
				moves = append(moves, next.move)
			}
		}
	}
	return moves
}

// scriptWriter writes a scenario, with the epochs of a real worker.
type scriptWriter struct {
	config     fsm.Config
	advance    Advance
	state      fsm.State
	facts      fsm.Facts
	connection fsm.Epoch
	text       strings.Builder
}

func (s *scriptWriter) step(in input) {
	ev := in.event(s.connection, s.facts.Connection, s.facts.Ping)
	if in.kind.Class() == fsm.ClassConnectionEnd {
		s.connection++
	}
	from := s.state
	var effects []fsm.Effect
	var d fsm.Decision
	s.state, s.facts, effects, d = s.advance(from, &s.facts, ev)
	line := strings.Replace(ev.String(), fsm.Started.String(), "start mode="+s.config.Mode.String(), 1)
	if in.kind == fsm.Started && s.config.RetireAfterJob {
		line += " after-job"
	}
	fmt.Fprintf(&s.text, "%s\n----\n%s\n", line, replay.Transition(from, &d, effects))
}
