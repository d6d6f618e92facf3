package fsm

import (
	"strings"
	"testing"
)

// TestEveryWordIsExplained shows that every state, event, condition and action
// has a name and a meaning, and that no name has two meanings.
func TestEveryWordIsExplained(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		if s.String() == "" || s.Meaning() == "" || s.Hint() == "" {
			t.Errorf("state %d (%v) lacks a name, a hint or a meaning", s, s)
		}
	}
	for _, k := range EventKinds() {
		if k.String() == "" || k.Meaning() == "" || k.Brief() == "" {
			t.Errorf("event %d (%v) lacks a name, a brief or a meaning", k, k)
		}
	}
	for kind, terms := range map[string][]Term{"condition": ConditionTerms(), "action": ActionTerms()} {
		explained := map[string]bool{}
		for _, term := range terms {
			if explained[term.Name] {
				t.Errorf("the %s %q has two meanings", kind, term.Name)
			}
			explained[term.Name] = true
			if term.Name == "" || term.Meaning == "" {
				t.Errorf("the %s %q lacks a name or a meaning", kind, term.Name)
			}
		}
	}
}

// TestGuardsAreMadeOfConditions shows that the name of every guard consists of
// the names of its conditions.
func TestGuardsAreMadeOfConditions(t *testing.T) {
	t.Parallel()
	for _, r := range Rows() {
		var names []string
		for _, condition := range r.When.simple() {
			names = append(names, condition.Name)
		}
		if got := strings.Join(names, ", "); got != r.When.Name {
			t.Errorf("%v / %s: the conditions are %q", r.From, r.Name(), got)
		}
	}
}
