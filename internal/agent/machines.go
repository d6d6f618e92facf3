package agent

import (
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// machines is the state of each worker's machine, for the control plane. Its methods may
// be called concurrently.
type machines struct {
	mu  sync.Mutex
	now map[string]machine // by worker ID
}

type machine struct {
	state fsm.State
	since time.Time
}

func newMachines() *machines { return &machines{now: map[string]machine{}} }

// observe takes an event of a worker. A worker that polls without a job stays in
// FallingBack for as long as it does: its short times in PollingBusy, one for each ping,
// would hide since when it polls.
func (m *machines) observe(r fsm.Record) {
	state := r.To
	if state == fsm.PollingBusy && r.Facts.Job == "" {
		state = fsm.FallingBack
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case state == fsm.Stopped:
		delete(m.now, r.Worker)
	case m.now[r.Worker].state != state:
		m.now[r.Worker] = machine{state, r.Time}
	}
}

// of returns the state of a worker's machine, or the zero value of a worker that is not
// known.
func (m *machines) of(worker string) wire.MachineState {
	m.mu.Lock()
	now, ok := m.now[worker]
	m.mu.Unlock()
	if !ok {
		return wire.MachineState{}
	}
	control := wire.ControlNone
	switch now.state.Owner() {
	case fsm.OwnerStream:
		control = wire.ControlStream
	case fsm.OwnerPoller:
		control = wire.ControlPoll
	case fsm.OwnerNobody:
	}
	return wire.MachineState{Name: now.state.String(), Control: control, For: time.Since(now.since)}
}
