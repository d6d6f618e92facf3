package redact

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/coregx/ahocorasick"
)

// maxClasses is the largest number of distinct bytes that the automaton can
// group into classes: it counts them, and one more, in a byte.
const maxClasses = 254

// span is a part of a text.
type span struct{ start, end int }

// set holds the strings to find, sorted and distinct. It is immutable.
type set struct {
	all     [][]byte
	within  []int // by index in all: the longest other string that is a prefix of this one, or -1
	starts  *ahocorasick.Automaton
	longest int
}

// newSet returns a set of the given strings. There must be at least one, and
// none may be shorter than Minimum.
func newSet(forms map[string]struct{}) (*set, error) {
	s := &set{all: make([][]byte, 0, len(forms)), within: make([]int, 0, len(forms))}
	var starts []string
	for _, text := range slices.Sorted(maps.Keys(forms)) {
		one := []byte(text)
		// A prefix of this string is the previous one, or a prefix of that, and so on.
		within := len(s.all) - 1
		for within >= 0 && !bytes.HasPrefix(one, s.all[within]) {
			within = s.within[within]
		}
		s.all, s.within = append(s.all, one), append(s.within, within)
		s.longest = max(s.longest, len(one))
		if start := text[:Minimum]; len(starts) == 0 || starts[len(starts)-1] != start {
			starts = append(starts, start)
		}
	}
	var err error
	s.starts, err = automaton(starts)
	return s, err
}

// automaton returns an automaton that finds strings of one length. Matches come
// in the order of the text, and none comes twice, because the lengths are equal.
func automaton(all []string) (*ahocorasick.Automaton, error) {
	var used [256]bool
	classes := 0
	for _, one := range all {
		for i := range len(one) {
			if !used[one[i]] {
				used[one[i]] = true
				classes++
			}
		}
	}
	a, err := ahocorasick.NewBuilder().SetByteClasses(classes <= maxClasses).AddStrings(all).Build()
	if err != nil {
		return nil, fmt.Errorf("building an automaton for %d strings: %w", len(all), err)
	}
	return a, nil
}

// match returns the length of the longest string of the set that text begins
// with, or 0, and reports whether text is a proper prefix of a string of the
// set, so that more text is needed to decide.
func (s *set) match(text []byte) (length int, more bool) {
	// Strings that begin with text sort at or after it, its prefixes before it.
	i, found := slices.BinarySearchFunc(s.all, text, bytes.Compare)
	next := i
	if found {
		length = len(text)
		next++
	}
	more = next < len(s.all) && bytes.HasPrefix(s.all[next], text)
	for i--; length == 0 && i >= 0; i = s.within[i] {
		if bytes.HasPrefix(text, s.all[i]) {
			length = len(s.all[i])
		}
	}
	return length, more
}

// scan appends the longest match at each position of text to spans, in order.
// It also returns the position from which text may be the beginning of a string
// of the set, or len(text) if there is none.
func (s *set) scan(text []byte, spans []span) (found []span, undecided int) {
	undecided = len(text)
	for _, start := range s.starts.FindAllOverlapping(text) {
		length, more := s.match(text[start.Start:])
		if length > 0 {
			spans = append(spans, span{start.Start, start.Start + length})
		}
		if more {
			undecided = min(undecided, start.Start)
		}
	}
	// The last bytes are too few for the automaton.
	for i := max(0, len(text)-Minimum+1); i < undecided; i++ {
		if _, more := s.match(text[i:]); more {
			undecided = i
		}
	}
	return spans, undecided
}
