package fsm

import "testing"

// TestEveryWordIsExplained holds the explanations to the table: every state,
// event, condition and action has one, and nothing else has.
func TestEveryWordIsExplained(t *testing.T) {
	t.Parallel()
	for _, s := range States() {
		if s.Meaning() == "" {
			t.Errorf("%v has no meaning", s)
		}
	}
	for _, k := range EventKinds() {
		if k.Meaning() == "" {
			t.Errorf("%v has no meaning", k)
		}
	}
	conditions, actions := map[string]bool{}, map[string]bool{}
	for _, r := range Rows() {
		for _, name := range r.When.Conditions() {
			conditions[name] = true
		}
		for _, action := range r.Do {
			actions[action.Name] = true
		}
	}
	for _, c := range []struct {
		kind  string
		used  map[string]bool
		terms []Term
	}{{"condition", conditions, ConditionTerms()}, {"action", actions, ActionTerms()}} {
		explained := map[string]bool{}
		for _, term := range c.terms {
			if explained[term.Name] {
				t.Errorf("the %s %q is explained twice", c.kind, term.Name)
			}
			explained[term.Name] = true
			if !c.used[term.Name] {
				t.Errorf("the %s %q is explained, and no row has it", c.kind, term.Name)
			}
			if term.Meaning == "" {
				t.Errorf("the %s %q has an empty explanation", c.kind, term.Name)
			}
		}
		for name := range c.used {
			if !explained[name] {
				t.Errorf("the %s %q is not explained", c.kind, name)
			}
		}
	}
}
