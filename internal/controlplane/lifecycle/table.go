package lifecycle

import "github.com/switchyard-ci/switchyard/internal/wire"

// The states, by short names for the table.
const (
	queued   = wire.StateQueued
	assigned = wire.StateAssigned
	accepted = wire.StateAccepted
	running  = wire.StateRunning
	finished = wire.StateFinished
	canceled = wire.StateCanceled
	lost     = wire.StateLost
)

// Row is one line of the table: in a state, on an event, if a guard holds, go to
// a state and do some actions, or refuse. Among the rows of one state and event
// the first whose guard holds is taken. A row without actions that stays in its
// state changes nothing: the request was carried out before.
type Row struct {
	From   State
	On     EventKind
	When   Guard
	To     State
	Do     []Action
	Refuse Refusal
}

// Name returns the event with the guard, such as "Started [token valid]".
func (r *Row) Name() string {
	if r.When.Name == "" {
		return r.On.String()
	}
	return r.On.String() + " [" + r.When.Name + "]"
}

// table is the machine.
var table = []Row{
	{none, Submitted, always, queued, do(recordSubmission), ""},

	// queued: no worker holds the job and no token is valid.
	{queued, Assigned, always, assigned, do(holdForWorker, offer), ""},
	{queued, Accepted, always, queued, nil, NotOffered},
	{queued, Acquired, always, accepted, do(holdForWorker, issueToken, recordAcceptance), ""},
	{queued, Started, always, queued, nil, TokenEnded},
	{queued, Finished, always, queued, nil, TokenEnded},
	{queued, CancelRequested, always, canceled, do(recordCancel, recordEnd), ""},

	// assigned: offered to one worker. Whatever keeps that worker from taking it
	// puts it back into the queue.
	{assigned, Accepted, sameWorker, accepted, do(issueToken, recordAcceptance), ""},
	{assigned, Accepted, otherwise, assigned, nil, NotOffered},
	{assigned, Acquired, sameWorker, accepted, do(issueToken, recordAcceptance), ""},
	{assigned, Acquired, otherwise, assigned, nil, OfferedToOther},
	{assigned, Started, always, assigned, nil, TokenEnded},
	{assigned, Finished, always, assigned, nil, TokenEnded},
	{assigned, CancelRequested, always, canceled, do(freeWorker, recordCancel, recordEnd), ""},
	{assigned, WorkerUnknown, always, queued, do(release), ""},
	{assigned, WorkerLost, always, queued, do(release), ""},
	{assigned, WorkerLeft, always, queued, do(release), ""},
	{assigned, WorkerPaused, always, queued, do(release), ""},
	{assigned, WorkerStopping, always, queued, do(release), ""},
	{assigned, WorkerStopped, always, queued, do(release), ""},
	{assigned, WorkerBusy, always, queued, do(release), ""},
	{assigned, NotAccepted, always, queued, do(release), ""},

	// accepted: the worker may ask to start it at any moment. A requeue drops the
	// tokens, so that a start that is under way then is refused.
	{accepted, Accepted, sameWorker, accepted, do(issueToken), ""},
	{accepted, Accepted, otherwise, accepted, nil, NotOffered},
	{accepted, Acquired, sameWorker, accepted, do(issueToken), ""},
	{accepted, Acquired, otherwise, accepted, nil, NotOffered},
	{accepted, Started, tokenValid, running, do(keepToken, recordStart), ""},
	{accepted, Started, otherwise, accepted, nil, TokenEnded},
	// The agent gave up before the start, or its start was not answered.
	{accepted, Finished, all(tokenValid, endedByRequest), canceled, do(freeWorker, keepToken, recordResult), ""},
	{accepted, Finished, all(tokenValid, endedByAgent, retriable), finished, do(freeWorker, keepToken, recordResult, nameRetry), ""},
	{accepted, Finished, tokenValid, finished, do(freeWorker, keepToken, recordResult), ""},
	{accepted, Finished, otherwise, accepted, nil, TokenEnded},
	{accepted, CancelRequested, always, canceled, do(freeWorker, dropTokens, recordCancel, recordEnd), ""},
	{accepted, WorkerUnknown, always, queued, do(release), ""},
	{accepted, WorkerLost, always, queued, do(release), ""},
	{accepted, WorkerLeft, always, queued, do(release), ""},
	{accepted, WorkerStopped, always, queued, do(release), ""},
	{accepted, NotStarted, always, queued, do(release), ""},

	// running: its process may run. Only its token acts for it, and only an end
	// that is known, or silence, ends it.
	{running, Accepted, always, running, nil, NotOffered},
	{running, Acquired, always, running, nil, NotOffered},
	{running, Started, tokenValid, running, nil, ""}, // the answer was lost
	{running, Started, otherwise, running, nil, TokenEnded},
	{running, Finished, all(tokenValid, endedByStop, retriable), canceled, do(freeWorker, recordResult, nameRetry), ""},
	{running, Finished, all(tokenValid, endedByRequest), canceled, do(freeWorker, recordResult), ""},
	{running, Finished, all(tokenValid, endedByAgent, retriable), finished, do(freeWorker, recordResult, nameRetry), ""},
	{running, Finished, tokenValid, finished, do(freeWorker, recordResult), ""},
	{running, Finished, otherwise, running, nil, TokenEnded},
	{running, CancelRequested, cancelPending, running, nil, ""},
	{running, CancelRequested, otherwise, running, do(recordCancel, endJob), ""},
	{running, TimedOut, mustEnd, running, nil, ""},
	{running, TimedOut, otherwise, running, do(recordTimeout, endJob), ""},
	{running, WorkerStopped, mustEnd, running, nil, ""},
	{running, WorkerStopped, otherwise, running, do(recordStop, endJob), ""},
	{running, Silent, retriable, lost, do(freeWorker, recordLoss, nameRetry), ""},
	{running, Silent, otherwise, lost, do(freeWorker, recordLoss), ""},
	{running, Absent, retriable, lost, do(freeWorker, recordLoss, nameRetry), ""},
	{running, Absent, otherwise, lost, do(freeWorker, recordLoss), ""},

	// finished, canceled: a repeated report is acknowledged again.
	{finished, Accepted, always, finished, nil, JobEnded},
	{finished, Acquired, always, finished, nil, JobEnded},
	{finished, Started, always, finished, nil, TokenEnded},
	{finished, Finished, all(tokenValid, sameResult), finished, nil, ""},
	{finished, Finished, tokenValid, finished, nil, JobEnded},
	{finished, Finished, otherwise, finished, nil, TokenEnded},
	{finished, CancelRequested, always, finished, nil, JobEnded},
	{canceled, Accepted, always, canceled, nil, JobEnded},
	{canceled, Acquired, always, canceled, nil, JobEnded},
	{canceled, Started, always, canceled, nil, TokenEnded},
	{canceled, Finished, all(tokenValid, sameResult), canceled, nil, ""},
	{canceled, Finished, tokenValid, canceled, nil, JobEnded},
	{canceled, Finished, otherwise, canceled, nil, TokenEnded},
	{canceled, CancelRequested, always, canceled, nil, ""},

	// lost: nothing that an agent knows is thrown away. A result ends a job that
	// was not retried; beside a retry it is kept.
	{lost, Accepted, always, lost, nil, JobEnded},
	{lost, Acquired, always, lost, nil, JobEnded},
	{lost, Started, always, lost, nil, TokenEnded},
	{lost, Finished, all(tokenValid, retried, lateKnown), lost, nil, ""},
	{lost, Finished, all(tokenValid, retried), lost, do(keepLateResult), ""},
	{lost, Finished, all(tokenValid, endedByRequest), canceled, do(recordLateResult), ""},
	{lost, Finished, tokenValid, finished, do(recordLateResult), ""},
	{lost, Finished, otherwise, lost, nil, TokenEnded},
	{lost, CancelRequested, always, lost, nil, JobEnded},
}
