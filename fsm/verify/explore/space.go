package explore

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
)

// Limits bound an exploration.
type Limits struct {
	// States is the most states; [MaxStates] if zero.
	States int
	// FirstOnly ends the exploration at the first violation.
	FirstOnly bool
}

// MaxStates is the most states of one exploration.
const MaxStates = 1 << 28

// ErrTooMany is returned for a model with more states than the limit.
var ErrTooMany = errors.New("too many states; choose smaller bounds")

// Space is what was explored of a model. It is not for concurrent use.
type Space[S comparable, M any] struct {
	model  Model[S, M]
	limits Limits

	states []S
	parent []uint32 // from which state each was first reached
	index  index[S]

	// The moves of environments: those of state i are at first[i] to first[i+1] of
	// to and in.
	first []uint64
	to    []uint32
	in    []Environments

	transitions, depth int
	violations         []Violation
}

// Violation is a property that does not hold.
type Violation struct {
	// Broken is the property, on one line.
	Broken string

	at uint32
	in Environments // where a goal is not reached; Disturbance for a step
}

// IsStep reports whether a step violates the property: the last one of its path. Else
// a goal cannot be reached.
func (v Violation) IsStep() bool { return v.in == Disturbance }

// Explore visits every state that can be reached from an initial one, which stands for
// all that differ from it in names only. It returns an
// error if the context ends, or ErrTooMany. Violations are not errors.
func Explore[S comparable, M any](ctx context.Context, model Model[S, M], initial S, limits Limits) (*Space[S, M], error) {
	if limits.States == 0 {
		limits.States = MaxStates
	}
	s := &Space[S, M]{model: model, limits: limits, index: newIndex[S]()}
	s.add(initial, 0)
	if err := s.explore(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// States returns the number of states, Transitions that of steps between them, and
// Depth the most steps that the shortest path to a state has.
func (s *Space[S, M]) States() int { return len(s.states) }

// Transitions returns the number of steps between states.
func (s *Space[S, M]) Transitions() int { return s.transitions }

// Depth returns the most steps that the shortest path to a state has.
func (s *Space[S, M]) Depth() int { return s.depth }

// State returns a state by its number, from 0, in the order of the search.
func (s *Space[S, M]) State(number int) S { return s.states[number] }

// Violations returns the first violation of each property, those of steps first.
func (s *Space[S, M]) Violations() []Violation { return s.violations }

// add returns the number of a state, a new one if the state is new.
func (s *Space[S, M]) add(state S, parent uint32) uint32 {
	n, known := s.index.find(s.states, state)
	if !known {
		s.states = append(s.states, state)
		s.parent = append(s.parent, parent)
	}
	return n
}

func (s *Space[S, M]) explore(ctx context.Context) error {
	const checkEvery = 1 << 12
	layer := len(s.states)               // where the next depth begins
	for i := 0; i < len(s.states); i++ { //nolint:intrange // more are added meanwhile
		if i == layer {
			s.depth++
			layer = len(s.states)
		}
		if i%checkEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("exploring: %w", context.Cause(ctx))
		}
		if len(s.states) > s.limits.States {
			return ErrTooMany
		}
		s.first = append(s.first, uint64(len(s.to)))
		next := s.model.Successors(s.states[i])
		for j := range next {
			s.transitions++
			n := &next[j]
			if n.Broken != "" {
				s.report(Violation{Broken: n.Broken, at: uint32(i)})
				if s.limits.FirstOnly {
					return nil
				}
				continue
			}
			to := s.add(n.Canonical, uint32(i))
			if n.In != Disturbance && int(to) != i {
				s.to, s.in = append(s.to, to), append(s.in, n.In)
			}
		}
	}
	s.first = append(s.first, uint64(len(s.to)))
	return nil
}

// report adds a violation, if it is the first of its property.
func (s *Space[S, M]) report(v Violation) {
	if !slices.ContainsFunc(s.violations, func(old Violation) bool { return old.Broken == v.Broken }) {
		s.violations = append(s.violations, v)
	}
}

// index finds the number of a state. It holds numbers and parts of hashes: the states
// are in the slice that its caller passes.
type index[S comparable] struct {
	seed  maphash.Seed
	slots []uint64 // the upper half of a hash, and a number plus one; 0 is free. Their count is a power of two
}

func newIndex[S comparable]() index[S] {
	const slots = 1 << 10
	return index[S]{seed: maphash.MakeSeed(), slots: make([]uint64, slots)}
}

const (
	numberBits = 32
	numberMask = 1<<numberBits - 1
)

// find returns the number of a state, and reports whether it is known. For one that
// is not known the number is the length of the slice, to which the caller adds it.
func (x *index[S]) find(states []S, state S) (number uint32, known bool) {
	const most = 3 // of four slots may be in use
	if len(states)*4 >= len(x.slots)*most {
		x.grow(states)
	}
	hash := maphash.Comparable(x.seed, state)
	slot := x.slot(hash, func(n uint32) bool { return states[n] == state })
	if used := x.slots[slot]; used != 0 {
		return uint32(used&numberMask) - 1, true
	}
	number = uint32(len(states)) //nolint:gosec // bounded by MaxStates
	x.slots[slot] = entry(hash, number)
	return number, false
}

func entry(hash uint64, number uint32) uint64 { return hash&^numberMask | uint64(number) + 1 }

// slot returns the place of a state with a hash, or the free one where it belongs.
func (x *index[S]) slot(hash uint64, is func(number uint32) bool) int {
	mask := len(x.slots) - 1
	at := int(hash) & mask //nolint:gosec // some of its bits
	for {
		used := x.slots[at]
		if used == 0 || (used^hash)&^numberMask == 0 && is(uint32(used&numberMask)-1) {
			return at
		}
		at = (at + 1) & mask
	}
}

func (x *index[S]) grow(states []S) {
	x.slots = make([]uint64, 2*len(x.slots))
	for i := range states {
		hash := maphash.Comparable(x.seed, states[i])
		slot := x.slot(hash, func(uint32) bool { return false })
		x.slots[slot] = entry(hash, uint32(i))
	}
}
