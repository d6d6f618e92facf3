package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Fate is what became of a mutant.
type Fate struct {
	// Killed: some property does not hold.
	Killed bool
	// Same: the mutant does the same as the machine in every situation that a
	// machine can come to, on everything that can happen there. There is nothing
	// to catch.
	Same bool
	// World is which of the bounds of the trial it was killed in, from 0.
	World int
	// Property is the property that does not hold, Config the kind of worker that
	// shows it, and Script a shortest way to it; none if the mutant was not
	// killed.
	Property string
	Config   fsm.Config
	Script   string
}

// Trial is what mutants are tried against. It may be used concurrently.
type Trial struct {
	bounds   []Bounds
	machines []*machines // of the machine itself, for each kind of worker
}

// NewTrial explores the machine itself, with the last of the bounds, to know
// what it does and where. A mutant is tried with one of the bounds after the
// other, so that small worlds come first. It returns an error that says so if
// the machine itself has a violation, if bounds are none, or if the context
// ends.
func NewTrial(ctx context.Context, bounds ...Bounds) (*Trial, error) {
	if len(bounds) == 0 {
		return nil, errors.New("verify: a trial needs bounds")
	}
	for _, b := range bounds {
		if err := b.Validate(); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	t := &Trial{bounds: slices.Clone(bounds)}
	for _, c := range configs() {
		s := newSpace(c, bounds[len(bounds)-1], fsm.Advance)
		if err := s.explore(ctx); err != nil {
			return nil, fmt.Errorf("verify: %s: %w", name(c), err)
		}
		if len(s.violations) > 0 {
			return nil, fmt.Errorf("verify: %s: the machine itself is wrong: %s", name(c), s.violations[0].broken)
		}
		t.machines = append(t.machines, s.around.machines)
	}
	return t, nil
}

// Try looks for a violation in a mutant. It returns an error if the context
// ends.
func (t *Trial) Try(ctx context.Context, m *Mutant) (Fate, error) {
	var differs []fsm.Config
	for i, c := range configs() {
		if !t.machines[i].same(m) {
			differs = append(differs, c)
		}
	}
	for i, b := range t.bounds {
		for _, c := range differs {
			r, err := run(ctx, c, &Options{Bounds: b, Advance: m.advance}, true)
			if err != nil {
				return Fate{}, fmt.Errorf("mutant %s: %s: %w", m.Name(), name(c), err)
			}
			if len(r.violations) > 0 {
				v := r.violations[0]
				return Fate{Killed: true, World: i, Property: v.Property, Config: c, Script: v.Script}, nil
			}
		}
	}
	return Fate{Same: len(differs) == 0}, nil
}

// same tells whether a mutant gives the same answer as this machine wherever this
// one was asked, stale news included.
func (m *machines) same(mutant *Mutant) bool {
	for n := range m.situations {
		s := &m.situations[n]
		for i, a := range m.answers[n] {
			h := happening{fsm.EventKind(i / (maxJobs + 1)), uint8(i % (maxJobs + 1))}
			if a != nil && mutant.differsOn(s.state, h.kind) && !m.agree(s, h.event(s), mutant.advance) {
				return false
			}
		}
		if s.state == fsm.Initial {
			continue
		}
		for _, ev := range staleEvents(s) {
			if mutant.differsOn(s.state, ev.Kind) && !m.agree(s, ev, mutant.advance) {
				return false
			}
		}
	}
	return true
}

// differsOn tells whether a mutant may do something else in a state on an event.
func (m *Mutant) differsOn(s fsm.State, kind fsm.EventKind) bool {
	return m.row == nil || m.row.From == s && m.row.On == kind
}

// agree tells whether two machines do the same on an event in a situation.
func (m *machines) agree(s *situation, ev fsm.Event, other Advance) bool {
	one, two := s.facts(m.config), s.facts(m.config)
	state, facts, effects, _ := m.advance(s.state, &one, ev)
	otherState, otherFacts, otherEffects, _ := other(s.state, &two, ev)
	return slices.Equal(effects, otherEffects) &&
		situate(state, &facts, nowConnection) == situate(otherState, &otherFacts, nowConnection)
}
