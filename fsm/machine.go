package fsm

import (
	"context"
	"errors"
	"fmt"

	looplab "github.com/looplab/fsm"
)

// Config says what kind of worker a machine is for.
type Config struct {
	// Mode is by which ways the worker may get work.
	Mode Mode
	// RetireAfterJob makes the worker leave after one job.
	RetireAfterJob bool
	// AcquireJob is the one job of a worker in mode Acquire, and empty otherwise.
	AcquireJob JobID
}

// Validate returns an error that names the field that is wrong, or nil.
func (c Config) Validate() error {
	switch {
	case int(c.Mode) >= modeCount:
		return fmt.Errorf("fsm: Mode is %d, and must be one of auto, stream-only, poll-only and acquire", c.Mode)
	case c.Mode == Acquire && c.AcquireJob == "":
		return errors.New("fsm: AcquireJob is empty, and must name a job in mode acquire")
	case c.Mode != Acquire && c.AcquireJob != "":
		return fmt.Errorf("fsm: AcquireJob is %q, and must be empty in mode %v", c.AcquireJob, c.Mode)
	}
	return nil
}

// Machine is the control of one worker. Its state lives in a looplab/fsm
// machine, and every change of it is a row of the table. It must be used by one
// goroutine at a time.
type Machine struct {
	states  *looplab.FSM
	facts   Facts
	acquire JobID

	from   State    // in which the last event came
	last   Decision // on it
	acting acting   // with the last effects, in memory that is used again
}

// New returns a machine in Initial, to be set going with the event Started. It
// returns the error of Config.Validate, if any.
func New(c Config) (*Machine, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &Machine{
		states:  looplab.NewFSM(Initial.String(), transitions(table), nil),
		facts:   Facts{Mode: c.Mode, RetireAfterJob: c.RetireAfterJob},
		acquire: c.AcquireJob,
	}, nil
}

// transitions gives looplab one event per row, named by the row, so that each
// edge is its to allow or to refuse.
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
	s, _ := ParseState(m.states.Current()) // looplab knows no states but ours
	return s
}

// Facts returns what the machine knows, as an independent copy.
func (m *Machine) Facts() Facts { return m.facts }

// Idle tells whether the worker waits for work that it would take.
func (m *Machine) Idle() bool { return m.facts.Idle(m.State()) }

// Last returns the state in which the last event came, and what the table
// answered.
func (m *Machine) Last() (State, Decision) { return m.from, m.last }

// Step takes one event and returns what the driver must do, in order. The
// slice is valid until the next call. An event that the table ignores has no
// effects and is no error; Last says why it was ignored. An error is a bug of
// ours, never bad input: looplab refused a row, and nothing has changed.
func (m *Machine) Step(ev Event) ([]Effect, error) {
	if ev.Kind == Started {
		ev.Job = m.acquire
	}
	m.from = m.State()
	defaultTable.decide(&m.last, m.from, &m.facts, ev)
	m.acting.effects = m.acting.effects[:0]
	if m.last.Row == nil {
		return nil, nil
	}
	// The context must not be one that can be cancelled: looplab would be stuck
	// in the transition for good.
	err := m.states.Event(context.Background(), m.last.Name)
	if err != nil {
		if _, same := errors.AsType[looplab.NoTransitionError](err); !same {
			return nil, fmt.Errorf("fsm: %v in %v: %w", ev, m.from, err)
		}
	}
	m.acting.facts = &m.facts
	m.acting.carryOut(&m.last)
	return m.acting.effects, nil
}
