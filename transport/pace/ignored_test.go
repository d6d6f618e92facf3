package pace

// ignored has the events that change nothing in a state, with the reason.
var ignored = []struct {
	from   []State
	events []Event
	reason string
}{
	{
		[]State{Idle},
		[]Event{AttemptDue, MessageReceived, StreamEnded, StreamLost, StreamRefused, StreamRefreshed},
		"nothing is planned before Started",
	},
	{
		waiting,
		[]Event{MessageReceived, StreamEnded, StreamLost, StreamRefused, StreamRefreshed},
		"no attempt is under way",
	},
	{attempting, []Event{AttemptDue}, "the attempt is under way already"},
	{connecting, []Event{StreamEnded}, "an end without a message is a loss"},
	{[]State{Healthy}, []Event{MessageReceived}, "only the first message of an attempt counts"},
}
