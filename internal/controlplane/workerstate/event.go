package workerstate

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
)

// EventKind is what happened to a worker.
type EventKind uint8

// The events. eventInfo describes each.
const (
	Registered EventKind = iota
	Seen
	LeaseExpired
	Disconnected
	PauseRequested
	ResumeRequested
	DrainRequested
	StopRequested
	LastJobAnnounced
	Revoked
	eventKindCount // not an event
)

// eventInfo holds the name of each kind and its meaning for people.
var eventInfo = [eventKindCount]statetable.Kind{
	Registered:       {"Registered", "an agent registered the worker"},
	Seen:             {"Seen", "the worker connected, sent a heartbeat or a ping, or opened its stream"},
	LeaseExpired:     {"LeaseExpired", "nothing was received from the worker for the lease"},
	Disconnected:     {"Disconnected", "the worker announced that it leaves"},
	PauseRequested:   {"PauseRequested", "a pause was requested: the worker takes no job"},
	ResumeRequested:  {"ResumeRequested", "the end of a pause was requested"},
	DrainRequested:   {"DrainRequested", "a drain was requested: the worker finishes its job and leaves"},
	StopRequested:    {"StopRequested", "a stop was requested: the worker cancels its job and leaves"},
	LastJobAnnounced: {"LastJobAnnounced", "the worker announced that it leaves after the job that it holds"},
	Revoked:          {"Revoked", "the worker was revoked, or the token that it registered with"},
}

// String returns the kind's name, such as LeaseExpired.
func (k EventKind) String() string { return statetable.KindOf(eventInfo[:], k).Name }

// Meaning returns one line for people that describes the event.
func (k EventKind) Meaning() string { return statetable.KindOf(eventInfo[:], k).Meaning }

// EventKinds returns every kind in the order of declaration.
func EventKinds() []EventKind { return statetable.Kinds[EventKind](eventInfo[:]) }

// Event is one thing that happened to a worker. Only the fields named for its
// kind are read.
type Event struct {
	Kind EventKind
	// At is when it happened by the control plane's clock. It is recorded and
	// shown; no rule compares it.
	At time.Time
	// By is who asked, for PauseRequested and ResumeRequested.
	By PausedBy
	// Reason is for people, for PauseRequested, DrainRequested, StopRequested and
	// Revoked.
	Reason string
	// PauseFor, on PauseRequested, is after how long the pause ends by itself; 0 is never.
	PauseFor time.Duration
	// NoRetry, on StopRequested, keeps the jobs that the stop ends from being
	// retried.
	NoRetry bool
	// LastJob, on Registered, registers a worker that is assigned no jobs.
	LastJob bool
}
