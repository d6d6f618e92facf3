package agent

import (
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// maxChanges is how many changes are kept of each worker: enough for a night of failures, in a
// few KB.
const maxChanges = 32

// machines is the state of each worker's machine, for the control plane and for people.
// Its methods may be called concurrently.
type machines struct {
	mu  sync.Mutex
	now map[string]*machine // by worker ID
}

// machine is what is known of one worker's machine.
type machine struct {
	state   fsm.State
	since   time.Time
	changes []Change // the newest last
	// failed counts the pings that have failed since the last one that was answered, and
	// failure is why the last one has.
	failed  int
	failure string
}

func newMachines() *machines { return &machines{now: map[string]*machine{}} }

// observe takes an event of a worker. A worker that polls without a job stays in
// FallingBack for as long as it does: its short times in PollingBusy, one for each ping,
// would hide since when it polls, and why.
func (m *machines) observe(r fsm.Record) {
	state := r.To
	if state == fsm.PollingBusy && r.Facts.Job == "" {
		state = fsm.FallingBack
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.now[r.Worker]
	if w == nil {
		w = &machine{}
		m.now[r.Worker] = w
	}
	switch class := r.Event.Kind.Class(); {
	case r.Event.Kind == fsm.PollFailed:
		w.failed++
		w.failure = r.Cause
	case class == fsm.ClassAnswer, state.Owner() == fsm.OwnerStream:
		w.failed, w.failure = 0, ""
	}
	if w.state == state {
		return
	}
	change := Change{At: r.Time, From: w.state.String(), To: state.String(), Event: r.Event.Kind.String(), Cause: r.Cause}
	if len(w.changes) == maxChanges {
		w.changes = slices.Delete(w.changes, 0, 1)
	}
	w.changes = append(w.changes, change)
	w.state, w.since = state, r.Time
}

// describe adds what is known of a worker's machine to its status.
func (m *machines) describe(s *WorkerStatus) {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.now[s.ID]
	if w == nil {
		return
	}
	s.StateName, s.Since = w.state.String(), w.since
	s.Changes = append(s.Changes, w.changes...)
	s.FailedPings, s.PingFailure = w.failed, w.failure
}

// of returns the state of a worker's machine, or the zero value of a worker that is not
// known or has left.
func (m *machines) of(worker string) wire.MachineState {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.now[worker]
	if w == nil || w.state == fsm.Stopped {
		return wire.MachineState{}
	}
	control := wire.ControlNone
	switch w.state.Owner() {
	case fsm.OwnerStream:
		control = wire.ControlStream
	case fsm.OwnerPoller:
		control = wire.ControlPoll
	case fsm.OwnerNobody:
	}
	return wire.MachineState{Name: w.state.String(), Control: control, For: time.Since(w.since)}
}
