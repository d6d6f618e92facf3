package explore

import (
	"slices"
	"strings"
	"unicode"
)

// Step is one move of a path, and the state before it.
type Step[S comparable, M any] struct {
	Before S
	Move   M
}

// maxContinued is how many moves of a path come after the state from which a goal
// cannot be reached.
const maxContinued = 20

// Path returns the moves from the initial state to a violation. For a goal that
// cannot be reached it continues in the environment where it should be, as long as
// that leads to new states, at most maxContinued moves.
func (s *Space[S, M]) Path(v Violation) []Step[S, M] {
	steps, at := s.pathTo(v.at)
	if v.in == Disturbance {
		next := s.model.Successors(at)
		i := slices.IndexFunc(next, func(n Successor[S, M]) bool { return n.Broken == v.Broken })
		return append(steps, Step[S, M]{at, next[i].Move})
	}
	seen := map[S]bool{s.states[v.at]: true}
	for range maxContinued {
		next := s.model.Successors(at)
		i := slices.IndexFunc(next, func(n Successor[S, M]) bool {
			return n.In&v.in != 0 && n.Broken == "" && !seen[n.Canonical]
		})
		if i < 0 {
			break
		}
		steps = append(steps, Step[S, M]{at, next[i].Move})
		seen[next[i].Canonical] = true
		at = next[i].State
	}
	return steps
}

// PathTo returns the moves from the initial state to the state of a number.
func (s *Space[S, M]) PathTo(number int) []Step[S, M] {
	steps, _ := s.pathTo(uint32(number)) //nolint:gosec // bounded by MaxStates
	return steps
}

// pathTo returns the moves to a state, and the state itself, with the names that it
// has on that path.
func (s *Space[S, M]) pathTo(number uint32) (steps []Step[S, M], at S) {
	var numbers []uint32
	for n := number; n != 0; n = s.parent[n] {
		numbers = append(numbers, n)
	}
	at = s.states[0]
	for _, n := range slices.Backward(numbers) {
		next := s.model.Successors(at)
		i := slices.IndexFunc(next, func(to Successor[S, M]) bool {
			return to.Broken == "" && to.Canonical == s.states[n]
		})
		steps = append(steps, Step[S, M]{at, next[i].Move})
		at = next[i].State
	}
	return steps, at
}

// FileName returns a name for a file about a violation, without extension: the words
// of a text, joined by underscores.
func FileName(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}), "_")
}

// Sentence returns a property or a move as a sentence: with a capital letter and a
// full stop.
func Sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }
