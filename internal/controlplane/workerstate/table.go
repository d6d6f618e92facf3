package workerstate

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
)

// Row is one line of the table; see statetable.Row.
type Row = statetable.Row[State, EventKind, Worker, Event, acting]

// Ignored is an event that a state does not answer, and why.
type Ignored = statetable.Ignored[State, EventKind]

// Guard is a named condition on the worker before the event, and on the event.
type Guard = statetable.Guard[Worker, Event]

// Refusal is why a request about a worker is not carried out; empty is none.
type Refusal = statetable.Refusal

// The refusals.
const (
	// HasLeft: the worker left, and only a new registration brings it back.
	HasLeft Refusal = "the worker has left; it must register again"
	// PausedByOperator: only an operator may end the pause.
	PausedByOperator Refusal = "an operator paused the worker, and only an operator may resume it"
)

// acting is what an action works on.
type acting struct {
	worker *Worker
	ev     *Event
}

func guard(name string, holds func(*Worker, *Event) bool) Guard {
	return Guard{Name: name, Holds: holds}
}

func action(name string, do func(*acting)) statetable.Action[acting] {
	return statetable.Action[acting]{Name: name, Do: do}
}

var (
	always    = statetable.Always[Worker, Event]()
	otherwise = statetable.Otherwise[Worker, Event]()

	// samePause: a pause that ends by itself is never the same, since it begins again.
	samePause = guard("the same pause", func(w *Worker, ev *Event) bool {
		return w.PauseReason == ev.Reason && w.PausedBy == ev.By && w.PauseFor == 0 && ev.PauseFor == 0
	})
	operatorsPause = guard("operator's pause, other caller", func(w *Worker, ev *Event) bool {
		return w.PausedBy == ByOperator && ev.By != ByOperator
	})
	lastJobKnown    = guard("known already", func(w *Worker, _ *Event) bool { return w.LastJob })
	wasAvailable    = guard("was available", func(w *Worker, _ *Event) bool { return w.Was == Available })
	wasPaused       = guard("was paused", func(w *Worker, _ *Event) bool { return w.Was == Paused })
	wasDraining     = guard("was draining", func(w *Worker, _ *Event) bool { return w.Was == Draining })
	wasStopped      = guard("was stopped", func(w *Worker, _ *Event) bool { return w.Was == Stopped })
	revokedBefore   = guard("revoked before", func(w *Worker, _ *Event) bool { return w.Revoked })
	drainedOrHigher = guard("was draining or stopped", func(w *Worker, _ *Event) bool { return w.Was == Draining || w.Was == Stopped })

	record = action("record registration", func(a *acting) {
		a.worker.RegisteredAt, a.worker.LastJob = a.ev.At, a.ev.LastJob
	})
	lose = action("remember the state, record loss", func(a *acting) {
		a.worker.Was, a.worker.LeftAt = a.worker.State, a.ev.At
	})
	comeBack    = action("return to the state before", func(a *acting) { a.worker.Was, a.worker.LeftAt = none, time.Time{} })
	recordLeave = action("record leave", func(a *acting) { a.worker.Was, a.worker.LeftAt = none, a.ev.At })
	recordPause = action("record pause", func(a *acting) {
		a.worker.PauseReason, a.worker.PausedBy, a.worker.PausedAt, a.worker.PauseFor = a.ev.Reason, a.ev.By, a.ev.At, a.ev.PauseFor
	})
	endPause = action("end pause", func(a *acting) {
		a.worker.PauseReason, a.worker.PausedBy, a.worker.PausedAt, a.worker.PauseFor = "", "", time.Time{}, 0
	})
	recordStop   = action("record stop", func(a *acting) { a.worker.StopReason, a.worker.NoRetry = a.ev.Reason, a.ev.NoRetry })
	recordRevoke = action("record revocation", func(a *acting) { a.worker.Revoked, a.worker.StopReason = true, a.ev.Reason })
	recordLast   = action("record last job", func(a *acting) { a.worker.LastJob = true })
	wasBecomes   = func(s State) statetable.Action[acting] {
		return action("was "+string(s), func(a *acting) { a.worker.Was = s })
	}
	nowPaused    = wasBecomes(Paused)
	nowAvailable = wasBecomes(Available)
	nowDraining  = wasBecomes(Draining)
	nowStopped   = wasBecomes(Stopped)
)

func row(from State, on EventKind, when Guard, to State, actions ...statetable.Action[acting]) Row {
	return Row{From: from, On: on, When: when, To: to, Do: actions}
}

func keep(from State, on EventKind, when Guard) Row {
	return Row{From: from, On: on, When: when, To: from}
}

func refuse(from State, on EventKind, when Guard, why Refusal) Row {
	return Row{From: from, On: on, When: when, To: from, Refuse: why}
}

// rows is the machine. A row that keeps the record is a request carried out
// before, or news that changes nothing.
var rows = []Row{
	row(none, Registered, always, Available, record),

	keep(Available, Seen, always),
	row(Available, LeaseExpired, always, Lost, lose),
	row(Available, Disconnected, always, Left, recordLeave),
	row(Available, PauseRequested, always, Paused, recordPause),
	keep(Available, ResumeRequested, always),
	row(Available, DrainRequested, always, Draining, recordStop),
	row(Available, StopRequested, always, Stopped, recordStop),
	keep(Available, LastJobAnnounced, lastJobKnown),
	row(Available, LastJobAnnounced, otherwise, Available, recordLast),
	row(Available, Revoked, always, Left, recordLeave, recordRevoke),

	keep(Paused, Seen, always),
	row(Paused, LeaseExpired, always, Lost, lose),
	row(Paused, Disconnected, always, Left, recordLeave),
	keep(Paused, PauseRequested, samePause),
	keep(Paused, PauseRequested, operatorsPause), // the stronger pause stands
	row(Paused, PauseRequested, otherwise, Paused, recordPause),
	refuse(Paused, ResumeRequested, operatorsPause, PausedByOperator),
	row(Paused, ResumeRequested, otherwise, Available, endPause),
	row(Paused, DrainRequested, always, Draining, endPause, recordStop),
	row(Paused, StopRequested, always, Stopped, endPause, recordStop),
	keep(Paused, LastJobAnnounced, lastJobKnown),
	row(Paused, LastJobAnnounced, otherwise, Paused, recordLast),
	row(Paused, Revoked, always, Left, endPause, recordLeave, recordRevoke),

	keep(Draining, Seen, always),
	row(Draining, LeaseExpired, always, Lost, lose),
	row(Draining, Disconnected, always, Left, recordLeave),
	keep(Draining, PauseRequested, always),  // it takes no work in any case
	keep(Draining, ResumeRequested, always), // a drain is not undone
	keep(Draining, DrainRequested, always),
	row(Draining, StopRequested, always, Stopped, recordStop),
	keep(Draining, LastJobAnnounced, always),
	row(Draining, Revoked, always, Left, recordLeave, recordRevoke),

	keep(Stopped, Seen, always),
	row(Stopped, LeaseExpired, always, Lost, lose),
	row(Stopped, Disconnected, always, Left, recordLeave),
	keep(Stopped, PauseRequested, always),
	keep(Stopped, ResumeRequested, always),
	keep(Stopped, DrainRequested, always),
	keep(Stopped, StopRequested, always),
	keep(Stopped, LastJobAnnounced, always),
	row(Stopped, Revoked, always, Left, recordLeave, recordRevoke),

	// Lost: what is asked of it holds when it comes back.
	row(Lost, Seen, wasAvailable, Available, comeBack),
	row(Lost, Seen, wasPaused, Paused, comeBack),
	row(Lost, Seen, wasDraining, Draining, comeBack),
	row(Lost, Seen, wasStopped, Stopped, comeBack),
	row(Lost, Disconnected, always, Left, recordLeave),
	keep(Lost, PauseRequested, drainedOrHigher),
	keep(Lost, PauseRequested, statetable.All(wasPaused, samePause)),
	keep(Lost, PauseRequested, statetable.All(wasPaused, operatorsPause)),
	row(Lost, PauseRequested, otherwise, Lost, nowPaused, recordPause),
	refuse(Lost, ResumeRequested, statetable.All(wasPaused, operatorsPause), PausedByOperator),
	row(Lost, ResumeRequested, wasPaused, Lost, nowAvailable, endPause),
	keep(Lost, ResumeRequested, otherwise),
	keep(Lost, DrainRequested, drainedOrHigher),
	row(Lost, DrainRequested, otherwise, Lost, nowDraining, endPause, recordStop),
	keep(Lost, StopRequested, wasStopped),
	row(Lost, StopRequested, otherwise, Lost, nowStopped, endPause, recordStop),
	keep(Lost, LastJobAnnounced, lastJobKnown),
	row(Lost, LastJobAnnounced, otherwise, Lost, recordLast),
	row(Lost, Revoked, always, Left, recordLeave, recordRevoke),

	refuse(Left, Seen, always, HasLeft),
	keep(Left, Disconnected, always),
	refuse(Left, PauseRequested, always, HasLeft),
	refuse(Left, ResumeRequested, always, HasLeft),
	refuse(Left, DrainRequested, always, HasLeft),
	refuse(Left, StopRequested, always, HasLeft),
	keep(Left, Revoked, revokedBefore),
	row(Left, Revoked, otherwise, Left, recordRevoke),
}

const (
	whyNotThere   = "the worker has not registered yet"
	whyRegistered = "the worker has registered already"
	whyNoLease    = "a lost worker has no lease to expire"
	whyLeft       = "the worker has left"
)

// ignored lists, with rows, every pair of a state and an event; see TestTotality.
var ignored = slices.Concat(
	statetable.Ignore(none, whyNotThere,
		Seen, LeaseExpired, Disconnected, PauseRequested, ResumeRequested, DrainRequested, StopRequested, LastJobAnnounced, Revoked),
	statetable.Ignore(Available, whyRegistered, Registered),
	statetable.Ignore(Paused, whyRegistered, Registered),
	statetable.Ignore(Draining, whyRegistered, Registered),
	statetable.Ignore(Stopped, whyRegistered, Registered),
	statetable.Ignore(Lost, whyRegistered, Registered),
	statetable.Ignore(Lost, whyNoLease, LeaseExpired),
	statetable.Ignore(Left, whyLeft, Registered, LeaseExpired, LastJobAnnounced),
)

var table = statetable.New(rows, ignored)

// Rows returns the table's rows in their order, in a slice of the caller's own.
func Rows() []Row { return table.Rows() }

// IgnoredPairs returns what the table ignores and why, in a slice of the caller's
// own.
func IgnoredPairs() []Ignored { return table.Ignored() }

// Decision is the table's answer to one event.
type Decision struct {
	// Row is the row taken; nil if the event was ignored, for the reason in
	// Ignored.
	Row     *Row
	Ignored string
	// Refusal is why the request is refused; empty otherwise.
	Refusal Refusal
	// Changed is set where the worker must be stored.
	Changed bool
}

// Next returns the worker after an event, and the decision behind it. It changes
// nothing and depends on nothing else; it may be called concurrently.
func Next(worker Worker, ev Event) (Worker, Decision) {
	row, why := table.Next(worker.State, ev.Kind, &worker, &ev)
	if row == nil {
		return worker, Decision{Ignored: why}
	}
	d := Decision{Row: row, Refusal: row.Refuse, Changed: row.Changes()}
	if !d.Changed {
		return worker, d
	}
	a := acting{worker: &worker, ev: &ev}
	for _, action := range row.Do {
		action.Do(&a)
	}
	worker.State = row.To
	return worker, d
}
