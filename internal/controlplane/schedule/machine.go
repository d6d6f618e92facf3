package schedule

import (
	"slices"
	"strings"
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

// maxMachineChanges is how many changes are kept of the machine of each worker.
const maxMachineChanges = 16

// MachineChange is a change of the state of a worker's machine that two reports of its
// agent show. States that were left before the next report are not known.
type MachineChange struct {
	// From is the state of the report before this one, or empty if the worker has left that
	// since: it had another job.
	From, To string
	// At is when the state To was entered, by the clock of this control plane.
	At time.Time
	// Cause is what this control plane last saw happen to the worker between the reports,
	// such as "its stream opened"; empty if it saw nothing.
	Cause string
}

// machineHistory are the last changes of the machine of a worker.
type machineHistory struct {
	last    string // the state of the last report
	since   happening
	left    bool            // a job has ended since, and so that state has
	changes []MachineChange // the oldest first
}

// happening is something that happened to a worker: what, and with which job if any. The
// zero value is nothing.
type happening struct{ what, jobID string }

func (h happening) String() string { return strings.TrimSpace(h.what + " " + h.jobID) }

// What happens to a worker by which the state of its machine changes.
const (
	streamOpened = "its stream opened"
	streamEnded  = "its stream ended"
	givenJob     = "it was given job"
	jobWithdrawn = "its job was taken back:"
	jobHasEnded  = "its job ended:"
)

// ReportMachine records what an agent reports of a worker's machine.
func (x *Index) ReportMachine(workerID string, m Machine) {
	if w := x.workers[workerID]; w != nil {
		w.machine = m
		w.history.report(m)
	}
}

// signalDelay is more than the time after which a replica tells the others of a report.
const signalDelay = 2 * time.Second

// ReportMachineElsewhere records what an agent reported to another replica, a moment ago. It
// has no effect if the agent has reported a later state to this one since.
func (x *Index) ReportMachineElsewhere(workerID string, m Machine) {
	if w := x.workers[workerID]; w != nil && m.At.Sub(w.machine.At) < signalDelay && m.Since.Before(w.machine.Since) {
		return
	}
	x.ReportMachine(workerID, m)
}

// report adds the change that a report shows, if it shows one.
func (h *machineHistory) report(m Machine) {
	from, cause, left := h.last, h.since, h.left
	h.last, h.since, h.left = m.State, happening{}, false
	switch {
	case from == "": // the first report
		return
	case from == m.State && !left:
		return
	case from == m.State:
		from = ""
	}
	if len(h.changes) == maxMachineChanges {
		h.changes = slices.Delete(h.changes, 0, 1)
	}
	h.changes = append(h.changes, MachineChange{From: from, To: m.State, At: m.Since, Cause: cause.String()})
}

// MachineChanges returns the last changes of a worker's machine, the newest first. Only
// memory has them, so there are none from before this replica started.
func (x *Index) MachineChanges(workerID string) []MachineChange {
	w := x.workers[workerID]
	if w == nil {
		return nil
	}
	changes := slices.Clone(w.history.changes)
	slices.Reverse(changes)
	return changes
}

// changed records that the worker's machine cannot be in the state any more that was last
// reported, and why: its stream was opened or closed, or a job has ended.
func (w *workerEntry) changed(why happening) {
	w.machine = Machine{}
	w.history.since = why
	w.history.left = w.history.left || why.jobID != ""
}
