package fsm

// State says who is in control of a worker and what work is in hand.
type State uint8

// The states. Initial and Stopped are the pseudo-states in which a diagram
// begins and ends: a machine leaves Initial when it is started, and never
// leaves Stopped.
const (
	// Initial is a machine that was not started.
	Initial State = iota
	// StreamHealthy: the stream is in control; no work is in hand.
	StreamHealthy
	// Running: the stream is in control; a job that it delivered is in hand.
	Running
	// FallingBack: the poller is in control; it waits for the next ping to be
	// due, or, where polling is not allowed, for the stream.
	FallingBack
	// PollingBusy: the poller is in control; a ping is in flight, or the job
	// that it brought is in hand.
	PollingBusy
	// Reclaiming: the poller is in control until its ping or job is over; the
	// stream is up, and takes control then.
	Reclaiming
	// Stopped: nobody is in control; the worker has left, or is leaving.
	Stopped
)

const stateCount = int(Stopped) + 1

var stateNames = [stateCount]string{
	Initial:       "Initial",
	StreamHealthy: "StreamHealthy",
	Running:       "Running",
	FallingBack:   "FallingBack",
	PollingBusy:   "PollingBusy",
	Reclaiming:    "Reclaiming",
	Stopped:       "Stopped",
}

var stateMeanings = [stateCount]string{
	Initial:       "the machine was not started",
	StreamHealthy: "the stream is in control; no work is in hand",
	Running:       "the stream is in control; a job that it delivered is in hand",
	FallingBack:   "the poller is in control; it waits for the next ping to be due (in stream-only, for the stream)",
	PollingBusy:   "the poller is in control; a ping is in flight, or the job that it brought is in hand",
	Reclaiming:    "the stream is up and waits to take over; the poller finishes its ping or its job first",
	Stopped:       "the worker takes no more work and leaves",
}

// String returns the state's name, such as StreamHealthy.
func (s State) String() string {
	if int(s) < stateCount {
		return stateNames[s]
	}
	return "State(?)"
}

// Meaning returns one line for people that says what the state is.
func (s State) Meaning() string {
	if int(s) < stateCount {
		return stateMeanings[s]
	}
	return ""
}

// States returns every state, Initial first and Stopped last.
func States() []State {
	return []State{Initial, StreamHealthy, Running, FallingBack, PollingBusy, Reclaiming, Stopped}
}

// ParseState returns the state with that name, and whether there is one.
func ParseState(name string) (State, bool) {
	for i, n := range stateNames {
		if n == name {
			return State(i), true
		}
	}
	return Initial, false
}
