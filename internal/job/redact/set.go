package redact

import (
	"bytes"
	"maps"
	"slices"
)

// span is a part of a text.
type span struct{ start, end int }

// set is what is looked for, sorted and without repetition. It is never
// changed.
type set struct {
	all     [][]byte
	within  []int // by index in all: that of the longest other one which this one begins with; -1 if there is none
	heads   heads
	longest int
}

// newSet makes a set of what is looked for. It is not empty, and none in it has
// fewer than Minimum bytes.
func newSet(wanted map[string]struct{}) (*set, error) {
	s := &set{all: make([][]byte, 0, len(wanted)), within: make([]int, 0, len(wanted))}
	var starts []string
	for _, text := range slices.Sorted(maps.Keys(wanted)) {
		one := []byte(text)

		// What this one begins with is the one before it, or what that one
		// begins with, and so on.
		within := len(s.all) - 1
		for within >= 0 && !bytes.HasPrefix(one, s.all[within]) {
			within = s.within[within]
		}
		s.all, s.within = append(s.all, one), append(s.within, within)
		s.longest = max(s.longest, len(one))
		if head := text[:Minimum]; len(starts) == 0 || starts[len(starts)-1] != head {
			starts = append(starts, head)
		}
	}
	var err error
	s.heads, err = newHeads(starts)
	return s, err
}

// at tells what text begins with: the length of the longest that is in the set,
// 0 if there is none; and whether all of text is the beginning of a longer one,
// so that more must be seen.
func (s *set) at(text []byte) (length int, more bool) {
	// The place of text among them: what begins with text stands from there on,
	// what text begins with before it.
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

// scan appends to spans, for each place where text begins with one of the set,
// the longest of them, in their order. It tells from where on text may be the
// beginning of one that is not whole yet; that is len(text) if nowhere.
func (s *set) scan(text []byte, spans []span) (found []span, open int) {
	open = len(text)
	for _, head := range s.heads.find(text) {
		length, more := s.at(text[head.Start:])
		if length > 0 {
			spans = append(spans, span{head.Start, head.Start + length})
		}
		if more {
			open = min(open, head.Start)
		}
	}

	// Where there is no room for a head.
	for i := max(0, len(text)-Minimum+1); i < open; i++ {
		if _, more := s.at(text[i:]); more {
			open = i
		}
	}
	return spans, open
}
