package pace

// State is what the schedule is doing.
type State int

// The states. In Waiting, Prompt and Refused the next attempt is planned; in
// Connecting, Promised and Healthy an attempt is under way.
const (
	// Idle is the state before the first Started.
	Idle State = iota
	// Waiting waits for a random moment of a window.
	Waiting
	// Prompt is as Waiting, in a window of a second.
	Prompt
	// Refused waits for about ten minutes.
	Refused
	// Connecting has an attempt under way, without a message so far.
	Connecting
	// Promised is as Connecting; if the attempt fails, the next one is prompt.
	Promised
	// Healthy has an attempt under way that has received a message.
	Healthy

	stateCount = iota
)

// String returns the state in words.
func (s State) String() string {
	return [stateCount]string{"idle", "waiting", "prompt", "refused", "connecting", "promised", "healthy"}[s]
}

// Event is something that the schedule must know.
type Event int

// The events.
const (
	// Started begins a run of the stream.
	Started Event = iota
	// AttemptDue is the moment of the planned attempt.
	AttemptDue
	// MessageReceived is the first message of an attempt.
	MessageReceived
	// StreamEnded is the planned end of an attempt that has received a message.
	StreamEnded
	// StreamLost is any other end of an attempt.
	StreamLost
	// StreamRefused is the end of an attempt by a refusal of the control plane.
	StreamRefused
	// StreamRefreshed is the end of an attempt by the agent itself, to open the
	// stream with other headers or elsewhere.
	StreamRefreshed
	// PingSucceeded is a response of the control plane to a ping, whatever it says.
	PingSucceeded
	// PingFailed is a ping without a response.
	PingFailed

	eventCount = iota
)

// guard is a condition of a row; nil always holds.
type guard func(*Schedule) bool

// action changes what the schedule remembers, or plans the next attempt.
type action func(*Schedule)

// row is one rule: in one of the states, on the event, if the guard holds, run the
// actions and go to the state. Of several rows the first whose guard holds applies.
type row struct {
	from []State
	on   Event
	when guard
	to   State
	do   []action
}

// stay as the target of a row keeps the state.
const stay State = -1

var (
	always     guard
	waiting    = []State{Waiting, Prompt, Refused}
	connecting = []State{Connecting, Promised}
	attempting = []State{Connecting, Promised, Healthy}
	anywhere   = []State{Idle, Waiting, Prompt, Refused, Connecting, Promised, Healthy}
)

// table is the machine.
var table = []row{
	{anywhere, Started, always, Waiting, []action{planFirst}},
	{waiting, AttemptDue, always, Connecting, nil},

	{connecting, MessageReceived, always, Healthy, []action{endOutage}},
	// A first failure may be a restart: the window is not doubled yet.
	{[]State{Connecting}, StreamLost, reachable, Waiting, []action{resetWindow, planWindow}},
	{[]State{Connecting}, StreamLost, always, Waiting, []action{doubleWindow, planWindow}},
	{[]State{Promised}, StreamLost, reachable, Prompt, []action{resetWindow, planPrompt}},
	{[]State{Promised}, StreamLost, always, Prompt, []action{doubleWindow, planPrompt}},
	{[]State{Healthy}, StreamEnded, always, Prompt, []action{planAfterHealthy}},
	{[]State{Healthy}, StreamLost, always, Prompt, []action{planAfterHealthy}},
	// The control plane responded, so the next loss is a first one.
	{[]State{Connecting, Healthy}, StreamRefused, always, Refused, []action{clearWindow, planRefused}},
	{[]State{Promised}, StreamRefused, always, Prompt, []action{clearWindow, planPrompt}},
	{attempting, StreamRefreshed, always, Prompt, []action{planPrompt}},

	{waiting, PingSucceeded, recovered, Prompt, []action{noteSuccess, grant, bringForward}},
	{[]State{Connecting}, PingSucceeded, recovered, Promised, []action{noteSuccess, grant}},
	{[]State{Healthy}, PingSucceeded, recovered, Healthy, []action{noteSuccess, grant, endWindow}},
	{anywhere, PingSucceeded, always, stay, []action{noteSuccess}},
	{anywhere, PingFailed, always, stay, []action{noteFailure}},
}
