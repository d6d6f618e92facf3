package verify

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// script returns the path to a violation as a script for testdata/jobs: the events
// of the job that it is about, and everything else that happens as comments. The
// answers are those of the table that runs the script; see TestScenarios of
// package lifecycle.
func (s *space) script(v explore.Violation) string {
	steps := s.Path(v)
	about := uint8(0)
	if n := len(steps); n > 0 {
		last := &steps[n-1]
		switch {
		case v.IsStep():
			about = last.Move.job
		case s.generator.machine.records[last.Before.jobs[1]].state != "":
			about = 1
		}
	}
	var b strings.Builder
	b.WriteString("# " + explore.Sentence(v.Broken) + "\n")
	for i := range steps {
		m := &steps[i].Move
		in, isEvent := m.event()
		if !isEvent || m.job != about || m.act != storeEvent {
			b.WriteString("# " + explore.Sentence(m.String()) + "\n")
		}
		if !isEvent || m.job != about {
			continue
		}
		line := in.String()
		if in.kind == lifecycle.Submitted && about == 0 {
			line += " retries=1"
		}
		fmt.Fprintf(&b, "%s\n----\n\n", line)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// event returns the event of a job that a move is, if it is one.
func (m *move) event() (input, bool) {
	switch m.act {
	case storeEvent, handle, repeat, acquire:
		return m.in, true
	default:
		return input{}, false
	}
}
