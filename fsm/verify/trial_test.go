package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// smallBounds returns one job and two messages in flight: enough to detect most
// mutants.
func smallBounds() Bounds { return Bounds{Jobs: 1, InFlight: 2, Together: 1} }

// smallOptions returns the options of a small world, with a machine.
func smallOptions(advance Advance) *Options {
	o := Options{Bounds: smallBounds(), Advance: advance}.withDefaults()
	return &o
}

// fate is the result of trying a mutant.
type fate struct {
	killed bool // some property does not hold
	// same: the mutant does the same as the machine in every situation that a
	// machine can reach, on every event that is possible there.
	same     bool
	world    int    // the index of the bounds in which it was killed
	property string // that does not hold
}

// trial tries mutants. It may be used concurrently.
type trial struct {
	bounds     []Bounds
	situations []*situations // of the machine itself, for each kind of worker
}

// newTrial explores the machine itself, with the last of the bounds. A mutant is
// tried with one of the bounds after the other, so that small worlds come first.
// It returns an error if the machine itself has a violation, or if the context
// ends.
func newTrial(ctx context.Context, bounds ...Bounds) (*trial, error) {
	t := &trial{bounds: bounds}
	for _, c := range configs() {
		o := Options{Bounds: bounds[len(bounds)-1]}.withDefaults()
		s, err := exploreSubject(ctx, subject{config: c, may: pausing}, &o, false)
		if err != nil {
			return nil, err
		}
		if v := s.Violations(); len(v) > 0 {
			return nil, fmt.Errorf("%s: the machine itself has a violation: %s", configName(c), v[0].Broken)
		}
		t.situations = append(t.situations, s.generator.situations)
	}
	return t, nil
}

// try looks for a violation in a mutant. It returns an error if the context ends.
func (t *trial) try(ctx context.Context, m *mutant) (fate, error) {
	var differs []fsm.Config
	for i, c := range configs() {
		if len(t.situations) == 0 || !t.situations[i].same(m) {
			differs = append(differs, c)
		}
	}
	if t.situations != nil { // it differs in all of them: those with few states first
		slices.Reverse(differs)
	}
	for i, b := range t.bounds {
		for _, c := range differs {
			o := Options{Bounds: b, Advance: m.advance}.withDefaults()
			r, err := run(ctx, subject{config: c, may: pausing}, &o, true)
			if err != nil {
				return fate{}, fmt.Errorf("mutant %s: %s: %w", m.name(), configName(c), err)
			}
			if len(r.violations) > 0 {
				return fate{killed: true, world: i, property: r.violations[0].Property}, nil
			}
		}
	}
	return fate{same: len(differs) == 0}, nil
}

// same reports whether a mutant does the same as this machine in all of its
// situations, on all inputs that it got there, and on stale events.
func (m *situations) same(other *mutant) bool {
	for n := range m.all {
		s := &m.all[n]
		for i, a := range m.answers[n] {
			in := input{fsm.EventKind(i / (maxJobs + 1)), uint8(i % (maxJobs + 1))}
			if a != nil && other.mayDifferOn(s.state, in.kind) && !m.agree(s, in.eventIn(s), other.advance) {
				return false
			}
		}
		if s.state == fsm.Initial {
			continue
		}
		for _, ev := range staleEvents(s) {
			if other.mayDifferOn(s.state, ev.Kind) && !m.agree(s, ev, other.advance) {
				return false
			}
		}
	}
	return true
}

// mayDifferOn reports whether a mutant may do something else in a state on an
// event.
func (m *mutant) mayDifferOn(s fsm.State, kind fsm.EventKind) bool {
	return m.row == nil || m.row.From == s && m.row.On == kind
}

// agree reports whether two machines do the same on an event in a situation. The
// facts of a stopped worker do not matter: it ignores every event.
func (m *situations) agree(s *situation, ev fsm.Event, other Advance) bool {
	one, two := s.facts(m.config), s.facts(m.config)
	state, facts, effects, _ := m.advance(s.state, &one, ev)
	otherState, otherFacts, otherEffects, _ := other(s.state, &two, ev)
	if state != otherState || !slices.Equal(effects, otherEffects) {
		return false
	}
	return state == fsm.Stopped ||
		situate(state, &facts, nowConnection) == situate(otherState, &otherFacts, nowConnection)
}
