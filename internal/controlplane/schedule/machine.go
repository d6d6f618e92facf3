package schedule

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Machine is what an agent last reported of a worker's machine. The zero value is not
// known: the agent is of another kind, or something has happened since by which the state
// must have changed.
type Machine struct {
	// State is the name of the state, and Control what is in control: wire.ControlStream
	// and so on.
	State, Control string
	// Since is when the state was entered, and At when it was reported, both by the clock
	// of this control plane.
	Since, At time.Time
}

// MachineOf returns what a report means at the time at which it arrives.
func MachineOf(m wire.MachineState, now time.Time) Machine {
	return Machine{State: m.Name, Control: m.Control, Since: now.Add(-m.For), At: now}
}

// Wire returns the report as it would be at a later time, for another replica.
func (m Machine) Wire(now time.Time) wire.MachineState {
	return wire.MachineState{Name: m.State, Control: m.Control, For: now.Sub(m.Since)}
}

// ReportMachine records what an agent reports of a worker's machine.
func (x *Index) ReportMachine(workerID string, m Machine) {
	if w := x.workers[workerID]; w != nil {
		w.machine = m
	}
}

// changed records that the worker's machine cannot be in the state any more that was last
// reported: its stream was opened or closed, or a job has ended.
func (w *workerEntry) changed() { w.machine = Machine{} }
