package fsm

import "strings"

// view is what a guard sees: the facts once the event is known, and the event.
type view struct {
	*Facts

	ev Event
}

// Guard is a named condition on the facts once the event is known, and on the
// event.
type Guard struct {
	// Name says the condition in words, such as "stream up".
	Name  string
	holds func(v view) bool
}

// Not returns the guard that holds when g does not.
func (g Guard) Not() Guard {
	return Guard{"not (" + g.Name + ")", func(v view) bool { return !g.holds(v) }}
}

// conditionSeparator stands between the conditions in a guard's name.
const conditionSeparator = ", "

// all returns the guard that holds when each of the guards does.
func all(guards ...Guard) Guard {
	names := make([]string, len(guards))
	for i, g := range guards {
		names[i] = g.Name
	}
	return Guard{strings.Join(names, conditionSeparator), func(v view) bool {
		for _, g := range guards {
			if !g.holds(v) {
				return false
			}
		}
		return true
	}}
}

var (
	// always is for the only row of a state and event; otherwise, for the last
	// of several.
	always    = Guard{"", func(view) bool { return true }}
	otherwise = Guard{"otherwise", func(view) bool { return true }}

	// leaving: nothing but a job in hand keeps the worker.
	leaving = Guard{"leaving", func(v view) bool { return v.Leaving != Staying }}
	// retiring: the worker is to leave, and no pause holds it.
	retiring = Guard{"retiring", func(v view) bool { return v.Retiring != Staying && !v.Paused }}

	paused    = Guard{"paused", func(v view) bool { return v.Paused }}
	notPaused = Guard{"not paused", func(v view) bool { return !v.Paused }}

	streamUp      = Guard{"stream up", func(v view) bool { return v.Stream == StreamUp }}
	streamUnknown = Guard{"stream unknown", func(v view) bool { return v.Stream == StreamUnknown }}
	streamRefused = Guard{"stream refused", func(v view) bool { return v.Stream == StreamIsRefused }}
	streamTrusted = Guard{"stream trusted", func(v view) bool {
		return v.Stream == StreamUnknown || v.Stream == StreamUp
	}}

	streamOnly = Guard{"stream-only", func(v view) bool { return v.Mode == StreamOnly }}
	pollOnly   = Guard{"poll-only", func(v view) bool { return v.Mode == PollOnly }}
	acquiring  = Guard{"acquire mode", func(v view) bool { return v.Mode == Acquire }}
	// pollingAllowed: pings may be sent.
	pollingAllowed = Guard{"polling allowed", func(v view) bool { return v.Mode == Auto || v.Mode == PollOnly }}

	// mailboxHasJob: a job waits to be started.
	mailboxHasJob = Guard{"mailbox has job", func(v view) bool { return v.Mailbox.Len() > 0 }}
	// notSeen: the job that the event names was never started here, or was
	// rejected since.
	notSeen = Guard{"not seen", func(v view) bool { return v.ev.Job != "" && !v.Seen.Has(v.ev.Job) }}
	// mayBeStarted: the same, or it is the job in hand, which may yet be
	// rejected: to drop this offer of it would lose it then.
	mayBeStarted = Guard{"not seen or in hand", func(v view) bool {
		return v.ev.Job != "" && (v.ev.Job == v.Job || !v.Seen.Has(v.ev.Job))
	}}

	pingInFlight = Guard{"ping in flight", func(v view) bool { return v.Pinging }}
	pingIsOld    = Guard{"answer is old", func(v view) bool { return v.PingIsOld }}
)
