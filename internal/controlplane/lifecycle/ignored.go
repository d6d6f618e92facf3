package lifecycle

import (
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
)

// Ignored is an event that a state does not answer, and why.
type Ignored = statetable.Ignored[State, EventKind]

const (
	whySubmitted   = "the job was submitted already"
	whyNotThere    = "the job was not submitted yet"
	whyNoWorker    = "no worker holds the job"
	whyHeld        = "a worker holds the job already"
	whyNotRunning  = "the job is not running"
	whyNoOffer     = "the job is not on offer any more"
	whyStarted     = "the job was started meanwhile"
	whyMayStart    = "a pause or a drain lets the job that was accepted before it run"
	whyRunsOn      = "a running job is not taken from its worker: its end, or silence, ends it"
	whyOneAccepted = "an acceptance stands; the other offer is withdrawn"
	whyEnded       = "the job has ended"
	whyNotRetried  = "the job has not ended, so it has no retry"
	whyRetryRuns   = "a retry that was started runs on"
)

// workerEvents are the events about the worker that holds a job, and of its terms.
var workerEvents = []EventKind{
	WorkerUnknown, WorkerLost, WorkerLeft, WorkerPaused, WorkerStopping, WorkerStopped, WorkerRevoked, WorkerBusy,
	NotAccepted, NotStarted, Silent, Absent,
}

// retryEvents are the events about the retry of a lost job.
var retryEvents = []EventKind{RetryWithdrawn, RetryKept}

// ignored lists, with rows, every pair of a state and an event; see
// TestTotality.
var ignored = slices.Concat(
	statetable.Ignore(none, whyNotThere, slices.Concat([]EventKind{
		Assigned, Accepted, Acquired, Started, Finished, CancelRequested, TimedOut, OriginalEnded,
	}, workerEvents, retryEvents)...),
	statetable.Ignore(queued, whySubmitted, Submitted),
	statetable.Ignore(queued, whyNotRunning, TimedOut),
	statetable.Ignore(queued, whyNoWorker, workerEvents...),
	statetable.Ignore(queued, whyNotRetried, retryEvents...),
	statetable.Ignore(assigned, whySubmitted, Submitted),
	statetable.Ignore(assigned, whyHeld, Assigned),
	statetable.Ignore(assigned, whyNotRetried, retryEvents...),
	statetable.Ignore(assigned, whyNotRunning, TimedOut, NotStarted, Silent, Absent),
	statetable.Ignore(accepted, whySubmitted, Submitted),
	statetable.Ignore(accepted, whyHeld, Assigned),
	statetable.Ignore(accepted, whyNotRetried, retryEvents...),
	statetable.Ignore(accepted, whyNotRunning, TimedOut, Silent, Absent),
	statetable.Ignore(accepted, whyMayStart, WorkerPaused, WorkerStopping),
	statetable.Ignore(accepted, whyOneAccepted, WorkerBusy),
	statetable.Ignore(accepted, whyNoOffer, NotAccepted),
	statetable.Ignore(running, whySubmitted, Submitted),
	statetable.Ignore(running, whyHeld, Assigned),
	statetable.Ignore(running, whyRunsOn, WorkerUnknown, WorkerLost, WorkerLeft, WorkerPaused, WorkerStopping, WorkerBusy),
	statetable.Ignore(running, whyStarted, NotAccepted, NotStarted),
	statetable.Ignore(running, whyNotRetried, retryEvents...),
	statetable.Ignore(running, whyRetryRuns, OriginalEnded),
	over(finished), over(canceled), over(lost),
	statetable.Ignore(finished, whyEnded, retryEvents...),
	statetable.Ignore(canceled, whyEnded, retryEvents...),
)

// over returns the pairs of a final state.
func over(s State) []Ignored {
	return slices.Concat(
		statetable.Ignore(s, whySubmitted, Submitted),
		statetable.Ignore(s, whyEnded, append([]EventKind{Assigned, TimedOut, OriginalEnded}, workerEvents...)...),
	)
}
