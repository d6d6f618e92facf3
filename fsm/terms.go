package fsm

import "slices"

// Term is a word of the table, the name of a condition or of an action, with
// its meaning on one line.
type Term struct {
	Name, Meaning string
}

// ConditionTerms returns the conditions of the default table's guards, in the
// order of their first use.
func ConditionTerms() []Term {
	var terms []Term
	for i := range table {
		for _, g := range table[i].When.simple() {
			terms = appendTerm(terms, Term{g.Name, g.meaning})
		}
	}
	return terms
}

// ActionTerms returns the actions of the default table, in the order of their
// first use.
func ActionTerms() []Term {
	var terms []Term
	for i := range table {
		for _, a := range table[i].Do {
			terms = appendTerm(terms, Term{a.Name, a.meaning})
		}
	}
	return terms
}

func appendTerm(terms []Term, t Term) []Term {
	if slices.Contains(terms, t) {
		return terms
	}
	return append(terms, t)
}
