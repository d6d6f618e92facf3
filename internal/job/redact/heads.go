package redact

import (
	"fmt"

	"github.com/coregx/ahocorasick"
)

// maxClasses is how many different bytes the library can put into classes: it
// counts them, and one more, in a byte.
const maxClasses = 254

// heads finds where in a text one of a set of short strings begins. All of them
// have the same length, so what it finds is in the order of the text, and
// nothing is found twice.
type heads struct {
	automaton *ahocorasick.Automaton
}

// newHeads makes the automaton; there must be a head, and none may be empty.
func newHeads(all []string) (heads, error) {
	var used [256]bool
	different := 0
	for _, head := range all {
		for i := range len(head) {
			if !used[head[i]] {
				used[head[i]] = true
				different++
			}
		}
	}
	automaton, err := ahocorasick.NewBuilder().SetByteClasses(different <= maxClasses).AddStrings(all).Build()
	if err != nil {
		return heads{}, fmt.Errorf("making an automaton for %d strings: %w", len(all), err)
	}
	return heads{automaton: automaton}, nil
}

// find gives the places in text, overlapping ones too.
func (h heads) find(text []byte) []ahocorasick.Match { return h.automaton.FindAllOverlapping(text) }
