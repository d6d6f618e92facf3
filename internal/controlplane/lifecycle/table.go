package lifecycle

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

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

// Row is one line of the table; see statetable.Row.
type Row = statetable.Row[State, EventKind, Job, Event, acting]

// row is a change; refuse turns a request down; keep leaves the job as it is, since
// the request was carried out before.
func row(from State, on EventKind, when Guard, to State, actions ...Action) Row {
	return Row{From: from, On: on, When: when, To: to, Do: actions}
}

func refuse(from State, on EventKind, when Guard, why Refusal) Row {
	return Row{From: from, On: on, When: when, To: from, Refuse: why}
}

func keep(from State, on EventKind, when Guard) Row {
	return Row{From: from, On: on, When: when, To: from}
}

// rows is the machine.
var rows = []Row{
	row(none, Submitted, always, queued, recordSubmission),

	// queued: no worker holds the job and no token is valid.
	row(queued, Assigned, always, assigned, holdForWorker),
	refuse(queued, Accepted, always, NotOffered),
	row(queued, Acquired, always, accepted, holdForWorker, issueToken, recordAcceptance),
	refuse(queued, Started, always, TokenEnded),
	refuse(queued, Finished, always, TokenEnded),
	row(queued, CancelRequested, always, canceled, recordCancel, recordEnd),
	row(queued, OriginalEnded, always, canceled, recordWithdrawal, recordEnd),

	// assigned: offered to one worker. Whatever keeps that worker from taking it
	// puts it back into the queue.
	row(assigned, Accepted, sameWorker, accepted, issueToken, recordAcceptance),
	refuse(assigned, Accepted, otherwise, NotOffered),
	row(assigned, Acquired, sameWorker, accepted, issueToken, recordAcceptance),
	refuse(assigned, Acquired, otherwise, OfferedToOther),
	refuse(assigned, Started, always, TokenEnded),
	refuse(assigned, Finished, always, TokenEnded),
	row(assigned, CancelRequested, always, canceled, recordCancel, recordEnd),
	row(assigned, OriginalEnded, always, canceled, recordWithdrawal, recordEnd),
	row(assigned, WorkerUnknown, always, queued, release),
	row(assigned, WorkerLost, always, queued, release),
	row(assigned, WorkerLeft, always, queued, release),
	row(assigned, WorkerPaused, always, queued, release),
	row(assigned, WorkerStopping, always, queued, release),
	row(assigned, WorkerStopped, always, queued, release),
	row(assigned, WorkerRevoked, always, queued, release),
	row(assigned, WorkerBusy, always, queued, release),
	row(assigned, NotAccepted, always, queued, release),

	// accepted: the worker may ask to start it at any moment. A requeue drops the
	// tokens, so that a start that is under way then is refused.
	row(accepted, Accepted, sameWorker, accepted, issueToken),
	refuse(accepted, Accepted, otherwise, NotOffered),
	row(accepted, Acquired, sameWorker, accepted, issueToken),
	refuse(accepted, Acquired, otherwise, NotOffered),
	row(accepted, Started, tokenValid, running, keepToken, recordStart),
	refuse(accepted, Started, otherwise, TokenEnded),
	// The agent gave up before the start, or its start was not answered.
	row(accepted, Finished, all(tokenValid, endedByAgent, retriable), finished, keepToken, recordResult, nameRetry),
	row(accepted, Finished, tokenValid, finished, keepToken, recordResult),
	refuse(accepted, Finished, otherwise, TokenEnded),
	row(accepted, CancelRequested, always, canceled, dropTokens, recordCancel, recordEnd),
	row(accepted, OriginalEnded, always, canceled, dropTokens, recordWithdrawal, recordEnd),
	row(accepted, WorkerUnknown, always, queued, release),
	row(accepted, WorkerLost, always, queued, release),
	row(accepted, WorkerLeft, always, queued, release),
	row(accepted, WorkerStopped, always, queued, release),
	row(accepted, WorkerRevoked, always, queued, release),
	row(accepted, NotStarted, always, queued, release),

	// running: its process may run. Only its token acts for it, and only an end
	// that is known, silence, or the revocation of its worker ends it.
	refuse(running, Accepted, always, NotOffered),
	refuse(running, Acquired, always, NotOffered),
	keep(running, Started, tokenValid), // the answer was lost
	refuse(running, Started, otherwise, TokenEnded),
	row(running, Finished, all(tokenValid, endedByStop, retriable), canceled, recordResult, nameRetry),
	row(running, Finished, all(tokenValid, endedByRequest), canceled, recordResult),
	row(running, Finished, all(tokenValid, endedByAgent, retriable), finished, recordResult, nameRetry),
	row(running, Finished, tokenValid, finished, recordResult),
	refuse(running, Finished, otherwise, TokenEnded),
	keep(running, CancelRequested, cancelPending),
	row(running, CancelRequested, otherwise, running, recordCancel),
	keep(running, TimedOut, mustEnd),
	row(running, TimedOut, otherwise, running, recordTimeout),
	keep(running, WorkerStopped, mustEnd),
	row(running, WorkerStopped, otherwise, running, recordStop),
	row(running, Silent, retriable, lost, recordLoss, nameRetry),
	row(running, Silent, otherwise, lost, recordLoss),
	row(running, Absent, retriable, lost, recordLoss, nameRetry),
	row(running, Absent, otherwise, lost, recordLoss),
	row(running, WorkerRevoked, retriable, lost, recordLoss, refuseTokens, nameRetry),
	row(running, WorkerRevoked, otherwise, lost, recordLoss, refuseTokens),

	// finished, canceled: a repeated report is acknowledged again.
	refuse(finished, Accepted, always, JobEnded),
	refuse(finished, Acquired, always, JobEnded),
	refuse(finished, Started, always, TokenEnded),
	keep(finished, Finished, all(tokenValid, sameResult)),
	refuse(finished, Finished, tokenValid, JobEnded),
	refuse(finished, Finished, otherwise, TokenEnded),
	refuse(finished, CancelRequested, always, JobEnded),
	refuse(canceled, Accepted, always, JobEnded),
	refuse(canceled, Acquired, always, JobEnded),
	refuse(canceled, Started, always, TokenEnded),
	keep(canceled, Finished, all(tokenValid, sameResult)),
	refuse(canceled, Finished, tokenValid, JobEnded),
	refuse(canceled, Finished, otherwise, TokenEnded),
	keep(canceled, CancelRequested, always),

	// lost: nothing that an agent knows is thrown away. A result ends a job that
	// was not retried, or whose retry was not started yet and is withdrawn; beside
	// another retry it is kept.
	refuse(lost, Accepted, always, JobEnded),
	refuse(lost, Acquired, always, JobEnded),
	refuse(lost, Started, always, TokenEnded),
	keep(lost, Finished, all(tokenValid, retried, lateSame)),
	refuse(lost, Finished, all(tokenValid, retried, lateKnown), JobEnded),
	row(lost, Finished, all(tokenValid, retried), lost, keepLateResult),
	row(lost, Finished, all(tokenValid, endedByRequest), canceled, recordLateResult),
	row(lost, Finished, tokenValid, finished, recordLateResult),
	refuse(lost, Finished, otherwise, TokenEnded),
	refuse(lost, CancelRequested, always, JobEnded),
	row(lost, RetryWithdrawn, lateByRequest, canceled, endWithLateResult),
	row(lost, RetryWithdrawn, lateKnown, finished, endWithLateResult),
	keep(lost, RetryWithdrawn, otherwise),
	keep(lost, RetryKept, keptRetry),
	row(lost, RetryKept, otherwise, lost, keepRetry),
}
