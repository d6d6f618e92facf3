package explore

import (
	"context"
	"fmt"
)

// Goals is a set of goals, one bit each. A model defines them. A goal that does not
// apply to a state counts as reached in it.
type Goals uint16

// Expectation is an environment, and the goals that must be reached in it from every
// state.
type Expectation struct {
	In    Environments
	Goals Goals
	// Name is the environment in words, such as "with pings that work".
	Name string
}

// CheckGoals reports a violation for each expectation and goal that cannot be reached
// from some state; the first such state is on a shortest path. reached returns the
// goals that a state has reached, and missed a violation in words. It returns an
// error if the context ends.
func (s *Space[S, M]) CheckGoals(ctx context.Context, expected []Expectation, reached func(S) Goals,
	missed func(missing Goals, environment string) string,
) error {
	now := make([]Goals, len(s.states))
	for i := range now {
		now[i] = reached(s.states[i])
	}
	can := make([]Goals, len(s.states))
	for _, e := range expected {
		copy(can, now)
		if err := s.spread(ctx, can, e.In); err != nil {
			return err
		}
		for i, g := range can {
			if missing := e.Goals &^ g; missing != 0 {
				s.report(Violation{Broken: missed(missing, e.Name), at: uint32(i), in: e.In})
			}
		}
	}
	return nil
}

// spread adds to the goals of every state those that its successors in the
// environment can reach.
func (s *Space[S, M]) spread(ctx context.Context, can []Goals, in Environments) error {
	for changed := true; changed; {
		if ctx.Err() != nil {
			return fmt.Errorf("checking liveness: %w", context.Cause(ctx))
		}
		changed = false
		for i := len(can) - 1; i >= 0; i-- {
			g := can[i]
			for e := s.first[i]; e < s.first[i+1]; e++ {
				if s.in[e]&in != 0 {
					g |= can[s.to[e]]
				}
			}
			if g != can[i] {
				can[i] = g
				changed = true
			}
		}
	}
	return nil
}
