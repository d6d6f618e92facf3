package verify

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// script returns the path to a violation as a script for testdata/jobs: the events
// of the job that it is about, and everything else that happens as comments. The
// answers are those of the table that runs the script; see TestScenarios of
// package lifecycle.
func (s *space) script(v *violation) string {
	moves := s.path(v)
	about := v.by.job
	if v.in != faulty && s.generator.machine.records[s.states[v.at].jobs[1]].state != "" {
		about = 1
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s.\n", capitalized(v.broken))
	for i := range moves {
		m := &moves[i]
		in, isEvent := m.event()
		if !isEvent || m.job != about {
			fmt.Fprintf(&b, "# %s.\n", capitalized(m.String()))
			continue
		}
		if m.act != storeEvent {
			fmt.Fprintf(&b, "# %s.\n", capitalized(m.String()))
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

func capitalized(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
