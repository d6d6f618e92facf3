package verify

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// script returns a path as a scenario for package replay: the events with the answers
// of the machine that was explored, and everything else that happens as comments. It
// begins with what the path shows.
func (s *space) script(shows string, path []explore.Step[packed, move]) string {
	config := s.generator.situations.config
	out := scriptWriter{config: config, advance: s.generator.situations.advance}
	out.text.WriteString("# " + explore.Sentence(shows) + "\n")
	for _, step := range path {
		var w world
		w.unpack(step.Before)
		if in, ok := step.Move.input(&w); ok {
			out.step(in)
		} else {
			out.text.WriteString("# " + explore.Sentence(step.Move.describe()) + "\n")
		}
	}
	return strings.TrimRight(out.text.String(), "\n") + "\n"
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
	if in.kind == fsm.Started { // also after the agent was killed
		s.state, s.facts, s.connection = fsm.Initial, s.config.Facts(), 1
	}
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
