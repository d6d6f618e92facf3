package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// space is what was explored of one kind of worker: its states, and for each the
// move and the state from which it was first reached, so that the path back to
// the beginning is a shortest one.
type space struct {
	generator generator
	states    []packed
	number    map[packed]uint32
	parent    []uint32
	by        []move

	// The moves of working environments: those of state i are
	// edges[first[i]:first[i+1]].
	first []uint32
	edges []edge

	transitions int
	depth       int

	// The first violation of each property, shortest path first.
	violations []violation
	firstOnly  bool // stop at the first violation
}

type edge struct {
	to uint32
	in environments
}

// violation is a property that does not hold, at the end of the path to a state.
type violation struct {
	at     uint32
	by     move         // one more move, for a property of safety
	in     environments // where a goal is not reached, for one of liveness
	broken string
}

// maxStates bounds the numbers of states, and the memory for large bounds.
const maxStates = 1 << 28

var errTooMany = errors.New("too many states; choose smaller bounds")

func newSpace(c fsm.Config, b Bounds, advance Advance) *space {
	s := &space{number: map[packed]uint32{}}
	s.generator = generator{bounds: b, situations: newSituations(c, advance)}
	initial := fsm.Facts{Connection: nowConnection}
	var w world
	w.machine = s.generator.situations.number(situate(fsm.Initial, &initial, nowConnection))
	s.add(&w, 0, 0)
	return s
}

// add returns the number of a state, a new one if the state is new.
func (s *space) add(w *world, parent uint32, by move) uint32 {
	p := w.pack()
	n, known := s.number[p]
	if !known {
		n = uint32(len(s.states)) //nolint:gosec // bounded by maxStates
		s.number[p] = n
		s.states = append(s.states, p)
		s.parent = append(s.parent, parent)
		s.by = append(s.by, by)
	}
	return n
}

// explore visits every state, breadth first. It returns an error if the context
// ends, or if there are too many states.
func (s *space) explore(ctx context.Context) error {
	const checkEvery = 1 << 12
	layer := len(s.states)           // where the next depth begins
	for i := 0; i < len(s.states); { // more are added meanwhile
		if i == layer {
			s.depth++
			layer = len(s.states)
		}
		if i%checkEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("exploring: %w", context.Cause(ctx))
		}
		if len(s.states) > maxStates {
			return errTooMany
		}
		var w world
		w.unpack(s.states[i])
		s.first = append(s.first, uint32(len(s.edges))) //nolint:gosec // some times maxStates
		next := s.generator.successors(&w)
		for j := range next {
			s.transitions++
			n := &next[j]
			if n.broken != "" {
				s.report(violation{at: uint32(i), by: n.move, broken: n.broken})
				if s.firstOnly {
					return nil
				}
				continue // its successors show nothing new
			}
			to := s.add(&n.world, uint32(i), n.move)
			if n.in != noEnvironment {
				s.edges = append(s.edges, edge{to, n.in})
			}
		}
		i++
	}
	s.first = append(s.first, uint32(len(s.edges))) //nolint:gosec // some times maxStates
	return nil
}

// report adds a violation, if it is the first of its property.
func (s *space) report(v violation) {
	for i := range s.violations {
		if s.violations[i].broken == v.broken {
			return
		}
	}
	s.violations = append(s.violations, v)
}
