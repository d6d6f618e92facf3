package verify

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// space is what was explored of one kind of worker: its states, each by how it
// was first reached, so that the way back to the beginning is a shortest one.
type space struct {
	around surroundings
	states []packed
	number map[packed]uint32
	parent []uint32
	by     []move

	// The ways on that a well-behaved world takes: those of state i are
	// edges[first[i]:first[i+1]].
	first []uint32
	edges []edge

	transitions int
	depth       int

	// The first violation of each property, shortest way first.
	violations []violation
	firstOnly  bool // one is enough
}

type edge struct {
	to      uint32
	weather weather
}

// violation is a property that does not hold, at the end of the way to a state.
type violation struct {
	at      uint32
	by      move    // one more move, for a property of safety
	weather weather // in which something never happens, for one of liveness
	broken  string
}

// maxStates keeps numbers of states within their type, and the memory of a
// careless choice of bounds within reason.
const maxStates = 1 << 28

var errTooMany = errors.New("too many states; choose smaller bounds")

func newSpace(c fsm.Config, b Bounds, advance Advance) *space {
	s := &space{number: map[packed]uint32{}}
	s.around = surroundings{bounds: b, machines: newMachines(c, advance)}
	initial := fsm.Facts{Connection: nowConnection}
	var w world
	w.machine = s.around.machines.number(situate(fsm.Initial, &initial, nowConnection))
	s.add(&w, 0, 0)
	return s
}

// add numbers a state that is new, and returns its number.
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

// explore visits every state, breadth first.
func (s *space) explore(ctx context.Context) error {
	const checkEvery = 1 << 12
	layer := len(s.states)           // where the next layer begins
	for i := 0; i < len(s.states); { // more are added on the way
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
		next := s.around.successors(&w)
		for j := range next {
			s.transitions++
			n := &next[j]
			if n.broken != "" {
				s.violated(violation{at: uint32(i), by: n.move, broken: n.broken})
				if s.firstOnly {
					return nil
				}
				continue // what follows from it is no news
			}
			to := s.add(&n.world, uint32(i), n.move)
			if n.weather != trouble {
				s.edges = append(s.edges, edge{to, n.weather})
			}
		}
		i++
	}
	s.first = append(s.first, uint32(len(s.edges))) //nolint:gosec // some times maxStates
	return nil
}

// violated takes note of a violation, if it is the first of its kind.
func (s *space) violated(v violation) {
	for i := range s.violations {
		if s.violations[i].broken == v.broken {
			return
		}
	}
	s.violations = append(s.violations, v)
}
