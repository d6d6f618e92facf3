package lifecycle

import "slices"

// Ignored is an event that a state does not answer, and why.
type Ignored struct {
	From State
	On   EventKind
	Why  string
}

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
)

// workerEvents are the events about the worker that holds a job, and of its terms.
var workerEvents = []EventKind{
	WorkerUnknown, WorkerLost, WorkerLeft, WorkerPaused, WorkerStopping, WorkerStopped, WorkerBusy,
	NotAccepted, NotStarted, Silent, Absent,
}

// ignored lists, with table, every pair of a state and an event; see
// TestTotality.
var ignored = slices.Concat(
	pairs(none, whyNotThere, append([]EventKind{
		Assigned, Accepted, Acquired, Started, Finished, CancelRequested, TimedOut,
	}, workerEvents...)...),
	pairs(queued, whySubmitted, Submitted),
	pairs(queued, whyNotRunning, TimedOut),
	pairs(queued, whyNoWorker, workerEvents...),
	pairs(assigned, whySubmitted, Submitted),
	pairs(assigned, whyHeld, Assigned),
	pairs(assigned, whyNotRunning, TimedOut, NotStarted, Silent, Absent),
	pairs(accepted, whySubmitted, Submitted),
	pairs(accepted, whyHeld, Assigned),
	pairs(accepted, whyNotRunning, TimedOut, Silent, Absent),
	pairs(accepted, whyMayStart, WorkerPaused, WorkerStopping),
	pairs(accepted, whyOneAccepted, WorkerBusy),
	pairs(accepted, whyNoOffer, NotAccepted),
	pairs(running, whySubmitted, Submitted),
	pairs(running, whyHeld, Assigned),
	pairs(running, whyRunsOn, WorkerUnknown, WorkerLost, WorkerLeft, WorkerPaused, WorkerStopping, WorkerBusy),
	pairs(running, whyStarted, NotAccepted, NotStarted),
	over(finished), over(canceled), over(lost),
)

// over returns the pairs of a final state.
func over(s State) []Ignored {
	return slices.Concat(
		pairs(s, whySubmitted, Submitted),
		pairs(s, whyEnded, append([]EventKind{Assigned, TimedOut}, workerEvents...)...),
	)
}

func pairs(s State, why string, events ...EventKind) []Ignored {
	list := make([]Ignored, 0, len(events))
	for _, ev := range events {
		list = append(list, Ignored{s, ev, why})
	}
	return list
}
