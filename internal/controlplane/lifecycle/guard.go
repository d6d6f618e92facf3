package lifecycle

import (
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Guard is a named condition on the job before the event, and on the event.
type Guard struct {
	// Name is the condition in words, such as "token valid".
	Name  string
	holds func(j *Job, ev *Event) bool
}

// all returns the guard that holds when each of the guards does.
func all(guards ...Guard) Guard {
	names := make([]string, len(guards))
	for i, g := range guards {
		names[i] = g.Name
	}
	return Guard{strings.Join(names, ", "), func(j *Job, ev *Event) bool {
		for _, g := range guards {
			if !g.holds(j, ev) {
				return false
			}
		}
		return true
	}}
}

var (
	// always is for the only row of a state and event; otherwise, for the last of
	// several.
	always    = Guard{"", func(*Job, *Event) bool { return true }}
	otherwise = Guard{"otherwise", func(*Job, *Event) bool { return true }}

	sameWorker = Guard{"same worker", func(j *Job, ev *Event) bool { return ev.WorkerID != "" && j.WorkerID == ev.WorkerID }}
	tokenValid = Guard{"token valid", func(j *Job, ev *Event) bool { return j.Holds(ev.Token) }}
	sameResult = Guard{"same result", func(j *Job, ev *Event) bool { return j.Same(ev.Result) }}

	retriable = Guard{"retriable", func(j *Job, _ *Event) bool { return j.Retriable() }}
	retried   = Guard{"retried", func(j *Job, _ *Event) bool { return j.RetriedBy != "" }}
	lateKnown = Guard{"late result known", func(j *Job, _ *Event) bool { return j.LateResult != nil }}

	cancelPending = Guard{"cancel requested", func(j *Job, _ *Event) bool { return j.CancelRequested }}
	mustEnd       = Guard{"must end already", func(j *Job, _ *Event) bool { return j.MustEnd() }}

	// endedByStop: the agent ended the command because an operator stopped its
	// worker.
	endedByStop = Guard{"ended by stop", func(j *Job, ev *Event) bool { return j.StopRequested && interrupted(ev.Result) }}
	// endedByRequest: the agent ended the command because of a cancellation, a
	// timeout or a stop. A command that ended by itself just before is finished.
	endedByRequest = Guard{"ended by request", func(j *Job, ev *Event) bool {
		return (j.MustEnd() || ev.Overdue) && interrupted(ev.Result)
	}}
	// endedByAgent: the command did not end by itself; its agent was stopped on
	// its machine, or was killed.
	endedByAgent = Guard{"ended by its agent", func(_ *Job, ev *Event) bool {
		return ev.Result.SignalReason == wire.ReasonAgentStop
	}}
)

// interrupted reports whether the agent ended the command, which did not end by
// itself.
func interrupted(r Result) bool { return r.Signal != "" || r.SignalReason != "" }
