package lifecycle

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
)

// EventKind is what happened to a job, or to the worker that holds it.
type EventKind uint8

// The events. eventInfo describes each.
const (
	Submitted EventKind = iota
	Assigned
	Accepted
	Acquired
	Started
	Finished
	CancelRequested
	TimedOut
	WorkerUnknown
	WorkerLost
	WorkerLeft
	WorkerPaused
	WorkerStopping
	WorkerStopped
	WorkerRevoked
	WorkerBusy
	NotAccepted
	NotStarted
	Silent
	Absent
	OriginalEnded
	RetryWithdrawn
	RetryKept
	eventKindCount // not an event
)

// eventInfo holds the name of each kind and its meaning for people.
var eventInfo = [eventKindCount]statetable.Kind{
	Submitted:       {"Submitted", "a submitter asked for the job"},
	Assigned:        {"Assigned", "the control plane offers the job to a worker"},
	Accepted:        {"Accepted", "the worker takes the job that it was offered"},
	Acquired:        {"Acquired", "a worker takes the job by its ID, without an offer"},
	Started:         {"Started", "the worker asks to start the job's process"},
	Finished:        {"Finished", "the job's agent reports how the job ended, possibly late"},
	CancelRequested: {"CancelRequested", "a cancellation of the job was requested"},
	TimedOut:        {"TimedOut", "the job ran for longer than its timeout"},
	WorkerUnknown:   {"WorkerUnknown", "no record of the job's worker has appeared within the assign timeout"},
	WorkerLost:      {"WorkerLost", "the lease of the job's worker expired before the job was started"},
	WorkerLeft:      {"WorkerLeft", "the job's worker disconnected"},
	WorkerPaused:    {"WorkerPaused", "the job's worker was paused"},
	WorkerStopping:  {"WorkerStopping", "the job's worker is draining"},
	WorkerStopped:   {"WorkerStopped", "the job's worker must cancel its job and leave"},
	WorkerRevoked:   {"WorkerRevoked", "the job's worker was revoked: nothing of it is believed any more"},
	WorkerBusy:      {"WorkerBusy", "two replicas offered the worker a job each, and this one is the later"},
	NotAccepted:     {"NotAccepted", "the worker did not accept the job within the assign timeout"},
	NotStarted:      {"NotStarted", "the worker did not start the job within the start timeout"},
	Silent:          {"Silent", "nothing was received from the worker or about the job for the lease"},
	Absent:          {"Absent", "the worker asked for work for the absence timeout and never named the job"},
	OriginalEnded:   {"OriginalEnded", "the late result has arrived of the job that this one retries"},
	RetryWithdrawn:  {"RetryWithdrawn", "the retry of the job ended before it was started, because the job's late result arrived"},
	RetryKept:       {"RetryKept", "the retry of the job was started before the job's late result arrived, and runs on"},
}

// String returns the kind's name, such as NotAccepted.
func (k EventKind) String() string { return statetable.KindOf(eventInfo[:], k).Name }

// Meaning returns one line for people that describes the event.
func (k EventKind) Meaning() string { return statetable.KindOf(eventInfo[:], k).Meaning }

// EventKinds returns every kind in the order of declaration.
func EventKinds() []EventKind { return statetable.Kinds[EventKind](eventInfo[:]) }

// Event is one thing that happened to a job. Only the fields named for its kind
// are read.
type Event struct {
	Kind EventKind
	// At is when it happened by the control plane's clock. It is recorded and
	// shown; no rule compares it.
	At time.Time
	// Actor is who caused it, for the history: "submitter", "operator", "worker",
	// "control plane".
	Actor string
	// Reason is for people: of CancelRequested, of the Worker events and of those
	// of a term that expired.
	Reason string
	// WorkerID and WorkerName name the worker of Assigned, Accepted and Acquired.
	WorkerID, WorkerName string
	// Token is the hash of the token to issue (Accepted, Acquired) or of the
	// token that was presented (Started, Finished).
	Token string
	// Result is how the job ended, for Finished.
	Result Result
	// Overdue is set on Finished where the job ran for longer than its timeout,
	// measured by the caller.
	Overdue bool
	// NoRetry, on WorkerStopped, keeps the job from being retried.
	NoRetry bool
	// RetryID is the ID to use if the event makes a retry necessary; required
	// for Finished, Silent, Absent and WorkerRevoked.
	RetryID string
}
