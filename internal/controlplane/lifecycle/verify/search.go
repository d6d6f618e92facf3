package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// space is what was explored of one setting: its states, and for each the move and
// the state from which it was first reached, so that the path back to the
// beginning is a shortest one.
type space struct {
	generator generator
	states    []world
	number    map[world]uint32
	parent    []uint32

	// The moves of a world that behaves: those of state i are
	// edges[first[i]:first[i+1]].
	first []uint32
	edges []edge

	transitions int
	depth       int
	violations  []violation // the first of each property
	firstOnly   bool
}

type edge struct {
	to uint32
	in environments
}

// violation is a property that does not hold.
type violation struct {
	at     uint32
	by     move         // one more move, for a property of safety
	in     environments // where a goal is not reached, for one of liveness
	broken string
}

// maxStates bounds the number of states, and the memory for large bounds.
const maxStates = 1 << 26

func newSpace(s setting, o *Options) *space {
	sp := &space{number: map[world]uint32{}, firstOnly: o.FirstOnly}
	sp.generator = generator{bounds: o.Bounds, setting: s, machine: newMachine(o.Table)}
	var w world
	for job := range w.jobs {
		r := record{retries: uint8(jobCount - 1 - job)}
		w.jobs[job] = sp.generator.machine.number(&r)
	}
	sp.add(&w, 0)
	return sp
}

func (s *space) add(w *world, parent uint32) uint32 {
	n, known := s.number[*w]
	if !known {
		n = uint32(len(s.states)) //nolint:gosec // bounded by maxStates
		s.number[*w] = n
		s.states = append(s.states, *w)
		s.parent = append(s.parent, parent)
	}
	return n
}

// explore visits every state, breadth first. It returns an error if the context
// ends, or if there are too many states.
func (s *space) explore(ctx context.Context) error {
	const checkEvery = 1 << 12
	layer := len(s.states)
	for i := 0; i < len(s.states); i++ { //nolint:intrange // more are added meanwhile
		if i == layer {
			s.depth++
			layer = len(s.states)
		}
		if i%checkEvery == 0 && ctx.Err() != nil {
			return fmt.Errorf("exploring: %w", context.Cause(ctx))
		}
		if len(s.states) > maxStates || len(s.generator.machine.records) > maxRecords {
			return errTooMany
		}
		w := s.states[i]
		s.first = append(s.first, uint32(len(s.edges))) //nolint:gosec // some times maxStates
		next := s.generator.successors(&w)
		for j := range next {
			n := &next[j]
			s.transitions++
			if n.broken != "" {
				s.report(violation{at: uint32(i), by: n.move, broken: n.broken})
				if s.firstOnly {
					return nil
				}
				continue // its successors show nothing new
			}
			to := s.add(&n.world, uint32(i))
			if n.in != faulty && int(to) != i {
				s.edges = append(s.edges, edge{to, n.in})
			}
		}
	}
	s.first = append(s.first, uint32(len(s.edges))) //nolint:gosec // some times maxStates
	return nil
}

// report adds a violation, if it is the first of its property.
func (s *space) report(v violation) {
	if !slices.ContainsFunc(s.violations, func(old violation) bool { return old.broken == v.broken }) {
		s.violations = append(s.violations, v)
	}
}

// path returns the moves from the beginning to a violation. For one of liveness it
// ends in the state from which the goal cannot be reached.
func (s *space) path(v *violation) []move {
	var moves []move
	for at := v.at; at != 0; at = s.parent[at] {
		w := s.states[s.parent[at]]
		for _, next := range s.generator.successors(&w) {
			if next.broken == "" && next.world == s.states[at] {
				moves = append(moves, next.move)
				break
			}
		}
	}
	slices.Reverse(moves)
	if v.in == faulty {
		moves = append(moves, v.by)
	}
	return moves
}

// defaultTable returns the table of package lifecycle.
func defaultTable() *lifecycle.Table {
	return lifecycle.NewTable(lifecycle.Rows(), lifecycle.IgnoredPairs())
}
