package fsm

// Owner is the side that controls a worker.
type Owner uint8

// The owners.
const (
	OwnerNobody Owner = iota
	OwnerStream
	OwnerPoller
)

// State is the control of a worker: its owner, and whether work is in hand.
type State uint8

// The states. Initial and Stopped are the pseudo-states in which a diagram
// begins and ends: a machine leaves Initial when it starts, and never leaves
// Stopped.
const (
	Initial State = iota
	StreamHealthy
	Running
	FallingBack
	PollingBusy
	Reclaiming
	Stopped

	stateCount = iota // stays last
)

type stateInfo struct {
	name    string
	owner   Owner
	hint    string
	meaning string
}

// states describes every state.
var states = [stateCount]stateInfo{
	Initial:       {"Initial", OwnerNobody, "not started", "the machine has not started"},
	StreamHealthy: {"StreamHealthy", OwnerStream, "no work in hand", "the stream is in control; no work is in hand"},
	Running:       {"Running", OwnerStream, "a job in hand", "the stream is in control; a job that it delivered is in hand"},
	FallingBack: {
		"FallingBack", OwnerPoller, "between pings",
		"the poller is in control; it waits until the next ping is due (in stream-only mode, for the stream)",
	},
	PollingBusy: {
		"PollingBusy", OwnerPoller, "a ping or its job",
		"the poller is in control; a ping is in flight, or the job that it brought is in hand",
	},
	Reclaiming: {
		"Reclaiming", OwnerPoller, "the stream waits",
		"the stream is up and waits to take control; the poller finishes its ping or its job first",
	},
	Stopped: {"Stopped", OwnerNobody, "the worker leaves", "the worker takes no more work and leaves"},
}

func (s State) info() *stateInfo {
	if s < stateCount {
		return &states[s]
	}
	return &stateInfo{name: noName}
}

// String returns the state's name, such as StreamHealthy.
func (s State) String() string { return s.info().name }

// Owner returns the side that controls a worker in the state. In Reclaiming
// that is still the poller.
func (s State) Owner() Owner { return s.info().owner }

// Hint returns the state in a few words, for the box of a picture.
func (s State) Hint() string { return s.info().hint }

// Meaning returns a description of the state on one line.
func (s State) Meaning() string { return s.info().meaning }

// States returns every state, Initial first and Stopped last.
func States() []State { return valuesOf[State](stateCount) }

// ParseState returns the state with that name, and reports whether there is one.
func ParseState(name string) (State, bool) { return parse[State](stateCount, name) }
