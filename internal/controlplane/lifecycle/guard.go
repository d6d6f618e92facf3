package lifecycle

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Guard is a named condition on the job before the event, and on the event.
type Guard = statetable.Guard[Job, Event]

// all returns the guard that holds when each of the guards does.
func all(guards ...Guard) Guard { return statetable.All(guards...) }

func guard(name string, holds func(*Job, *Event) bool) Guard { return Guard{Name: name, Holds: holds} }

var (
	// always is for the only row of a state and event; otherwise, for the last of
	// several.
	always    = statetable.Always[Job, Event]()
	otherwise = statetable.Otherwise[Job, Event]()

	sameWorker = guard("same worker", func(j *Job, ev *Event) bool { return ev.WorkerID != "" && j.WorkerID == ev.WorkerID })
	tokenValid = guard("token valid", func(j *Job, ev *Event) bool { return j.Holds(ev.Token) })
	sameResult = guard("same result", func(j *Job, ev *Event) bool { return j.Same(ev.Result) })

	retriable = guard("retriable", func(j *Job, _ *Event) bool { return j.Retriable() })
	retried   = guard("retried", func(j *Job, _ *Event) bool { return j.RetriedBy != "" })
	lateSame  = guard("same late result", func(j *Job, ev *Event) bool { return j.LateResult != nil && j.LateResult.Same(ev.Result) })
	lateKnown = guard("late result known", func(j *Job, _ *Event) bool { return j.LateResult != nil })

	keptRetry = guard("retry kept", func(j *Job, _ *Event) bool { return j.RetryKept })
	// lateByRequest is endedByRequest for the late result that is kept beside a retry.
	lateByRequest = guard("late result, ended by request", func(j *Job, _ *Event) bool {
		return j.LateResult != nil && interrupted(*j.LateResult) && (j.MustEnd() || j.LateResult.SignalReason == wire.ReasonTimedOut)
	})

	cancelPending = guard("cancel requested", func(j *Job, _ *Event) bool { return j.CancelRequested })
	mustEnd       = guard("must end already", func(j *Job, _ *Event) bool { return j.MustEnd() })

	// endedByStop: the agent ended the command because an operator stopped its
	// worker.
	endedByStop = guard("ended by stop", func(j *Job, ev *Event) bool { return j.StopRequested && interrupted(ev.Result) })
	// endedByRequest: the agent ended the command because of a cancellation, a
	// timeout or a stop. A command that ended by itself just before is finished.
	endedByRequest = guard("ended by request", func(j *Job, ev *Event) bool {
		return (j.MustEnd() || ev.Overdue) && interrupted(ev.Result)
	})
	// endedByAgent: the command did not end by itself; its agent was stopped on
	// its machine, or was killed.
	endedByAgent = guard("ended by its agent", func(_ *Job, ev *Event) bool {
		return ev.Result.SignalReason == wire.ReasonAgentStop
	})
)

// interrupted reports whether the agent ended the command, which did not end by
// itself.
func interrupted(r Result) bool { return r.Signal != "" || r.SignalReason != "" }
