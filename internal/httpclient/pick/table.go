package pick

import "time"

// State is what is known about a candidate.
type State int

// The states.
const (
	// Usable is a candidate that has not failed since it last succeeded.
	Usable State = iota
	// Aside is a candidate that is tried after the others until its time ends.
	Aside

	stateCount = iota
)

// String returns the state in words.
func (s State) String() string { return [stateCount]string{"usable", "aside"}[s] }

// Event is what a try of a candidate has shown.
type Event int

// The events.
const (
	// Succeeded is a response, whatever it says.
	Succeeded Event = iota
	// Failed is a try without a response.
	Failed
	// Left is a request of the candidate itself to use another one.
	Left

	eventCount = iota
)

// String returns the event in words.
func (e Event) String() string { return [eventCount]string{"succeeded", "failed", "left"}[e] }

// row is one rule: in the state, on the event, if the guard holds, run the action and go
// to the state. Of several rows the first whose guard holds applies.
type row struct {
	from State
	on   Event
	when func(*candidate, time.Time) bool
	to   State
	do   func(*candidate, time.Time)
}

// table is the machine.
var table = []row{
	{Usable, Succeeded, always, Usable, nothing},
	{Usable, Failed, always, Aside, setAside},
	{Usable, Left, always, Aside, setAside},

	{Aside, Succeeded, always, Usable, nothing},
	{Aside, Failed, due, Aside, setAsideLonger},
	// Many calls fail together: together they count once.
	{Aside, Failed, always, Aside, setAsideAgain},
	{Aside, Left, always, Aside, setAsideAgain},
}

// The guards.

func always(*candidate, time.Time) bool { return true }

// due holds when the candidate was to be tried again.
func due(c *candidate, now time.Time) bool { return !now.Before(c.until) }

// The actions.

func nothing(*candidate, time.Time) {}

func setAside(c *candidate, now time.Time) {
	c.wait = firstWait
	c.until = now.Add(c.wait)
}

func setAsideLonger(c *candidate, now time.Time) {
	c.wait = min(2*c.wait, maxWait)
	c.until = now.Add(c.wait)
}

func setAsideAgain(c *candidate, now time.Time) { c.until = now.Add(c.wait) }
