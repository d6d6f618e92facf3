package fsm

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	looplab "github.com/looplab/fsm"
)

// Config is the kind of worker that a machine is for.
type Config struct {
	// Mode is the ways by which the worker gets work.
	Mode Mode
	// RetireAfterJob makes the worker leave after one job.
	RetireAfterJob bool
	// AcquireJob is the one job of a worker in mode Acquire, and empty otherwise.
	AcquireJob JobID
}

// Validate returns an error that names the wrong field, or nil.
func (c Config) Validate() error {
	switch {
	case c.Mode >= modeCount:
		return fmt.Errorf("fsm: Mode is %d, and must be one of auto, stream-only, poll-only and acquire", c.Mode)
	case c.Mode == Acquire && c.AcquireJob == "":
		return errors.New("fsm: AcquireJob is empty, and must name a job in mode acquire")
	case c.Mode != Acquire && c.AcquireJob != "":
		return fmt.Errorf("fsm: AcquireJob is %q, and must be empty in mode %v", c.AcquireJob, c.Mode)
	}
	return nil
}

// Start returns the event that starts a machine with this configuration.
func (c Config) Start() Event { return Event{Kind: Started, Job: c.AcquireJob} }

// Machine controls one worker. Its state lives in a looplab/fsm machine, which
// checks that each change of state is a row of the table. It must be used by one
// goroutine at a time.
type Machine struct {
	states *looplab.FSM
	facts  Facts

	event Event     // the last one
	from  State     // before the last event
	last  Decision  // on the last event
	run   execution // of the last decision; its memory is reused
}

// New returns a machine in Initial, to be started with the event of
// Config.Start. It returns the error of Config.Validate, if any.
func New(c Config) (*Machine, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Machine{states: newStates(), facts: c.Facts()}, nil
}

// initialStates is a looplab machine in Initial. It never changes.
var initialStates = looplab.NewFSM(Initial.String(), transitions(table), nil)

// newStates returns a looplab machine in Initial. All of them share the maps of transitions
// and callbacks, which looplab only reads once they are made: they are most of the memory
// of a worker that has nothing to do. Metadata, which looplab would write, is not used.
func newStates() *looplab.FSM {
	states := reflect.New(reflect.TypeFor[looplab.FSM]())
	states.Elem().Set(reflect.ValueOf(initialStates).Elem())
	return states.Interface().(*looplab.FSM) //nolint:forcetypeassert // it is made so above
}

// Facts returns what a machine with this configuration knows at first.
func (c Config) Facts() Facts { return Facts{Mode: c.Mode, RetireAfterJob: c.RetireAfterJob} }

// transitions returns one looplab event per row, named after the row, so that
// looplab refuses every change of state that is not a row.
func transitions(rows []Row) looplab.Events {
	events := make(looplab.Events, len(rows))
	for i := range rows {
		r := &rows[i]
		events[i] = looplab.EventDesc{Name: r.Name(), Src: []string{r.From.String()}, Dst: r.To.String()}
	}
	return events
}

// State returns the current state.
func (m *Machine) State() State {
	s, _ := ParseState(m.states.Current()) // looplab has no other states
	return s
}

// Step takes one event and returns what the driver must do, in order. The
// slice is valid until the next call. An event that the table ignores has no
// effects and is not an error; Record returns why it was ignored. An error is a
// defect of this package: looplab refused a row, and nothing has changed.
func (m *Machine) Step(ev Event) ([]Effect, error) {
	m.event, m.from = ev, m.State()
	defaultTable.decide(&m.last, m.from, &m.facts, ev)
	m.run.effects = m.run.effects[:0]
	if m.last.Row == nil {
		return nil, nil
	}
	// The context must never be canceled: looplab would remain in the transition.
	err := m.states.Event(context.Background(), m.last.Name)
	if err != nil {
		if _, same := errors.AsType[looplab.NoTransitionError](err); !same {
			return nil, fmt.Errorf("fsm: %v in %v: %w", ev, m.from, err)
		}
	}
	m.run.facts = &m.facts
	m.run.perform(&m.last)
	return m.run.effects, nil
}
