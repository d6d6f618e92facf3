package fsm

import "strconv"

// JobID names a job. The empty id names none.
type JobID string

// Epoch numbers the attempts of one kind, connections or pings, so that news
// of an attempt that is over can be told from news of the current one. It
// grows; the first is 1.
type Epoch uint64

// EventKind says what happened. An instruction of the stream or of a ping's
// answer is an event kind of its own, since the table tells them apart.
type EventKind uint8

// The events. Those of the stream carry the epoch of their connection, those
// of a ping the epoch of the ping, and those of a job its id.
const (
	// Started sets the machine going.
	Started EventKind = iota
	// ReceivedResume: the stream said resume, or sent a message without an
	// instruction that we know, which is how keep-alives look.
	ReceivedResume
	// ReceivedPause: the stream said pause.
	ReceivedPause
	// ReceivedDisconnect: the stream said disconnect.
	ReceivedDisconnect
	// ReceivedJob: the stream named an assigned job.
	ReceivedJob
	// TrustExpired: no first message came in time. The connection stays open
	// and its epoch alive, so that a late first message still counts.
	TrustExpired
	// StreamEnded: a planned end of a connection that has spoken.
	StreamEnded
	// StreamLost: any other end of a connection: a failed attempt, silence
	// against the rules, an end without a message.
	StreamLost
	// StreamRefused: the control plane will not serve a stream to this worker.
	StreamRefused
	// PollDue: it is time for the next ping.
	PollDue
	// AnsweredIdle: the ping's answer has nothing to do.
	AnsweredIdle
	// AnsweredPause: the ping's answer says pause.
	AnsweredPause
	// AnsweredDisconnect: the ping's answer says disconnect.
	AnsweredDisconnect
	// AnsweredJob: the ping's answer names an assigned job.
	AnsweredJob
	// PollFailed: the ping has no answer of the control plane.
	PollFailed
	// PollRefused: the control plane itself turned the ping down, for good.
	PollRefused
	// JobFinished: the end of the job in hand is acknowledged, or spooled.
	JobFinished
	// JobRejected: the control plane definitely refused to let the job start,
	// or its start was given up before it was granted.
	JobRejected
	// DrainRequested: finish what runs, then leave.
	DrainRequested
	// ForceRequested: cancel what runs, then leave.
	ForceRequested
	// SessionRefused: the control plane no longer knows the worker.
	SessionRefused
	// IdleExpired: the time allowed without work is over.
	IdleExpired
	// UptimeExpired: the time allowed for the process is over.
	UptimeExpired
)

const eventKindCount = int(UptimeExpired) + 1

var eventKindNames = [eventKindCount]string{
	Started:            "Started",
	ReceivedResume:     "ReceivedResume",
	ReceivedPause:      "ReceivedPause",
	ReceivedDisconnect: "ReceivedDisconnect",
	ReceivedJob:        "ReceivedJob",
	TrustExpired:       "TrustExpired",
	StreamEnded:        "StreamEnded",
	StreamLost:         "StreamLost",
	StreamRefused:      "StreamRefused",
	PollDue:            "PollDue",
	AnsweredIdle:       "AnsweredIdle",
	AnsweredPause:      "AnsweredPause",
	AnsweredDisconnect: "AnsweredDisconnect",
	AnsweredJob:        "AnsweredJob",
	PollFailed:         "PollFailed",
	PollRefused:        "PollRefused",
	JobFinished:        "JobFinished",
	JobRejected:        "JobRejected",
	DrainRequested:     "DrainRequested",
	ForceRequested:     "ForceRequested",
	SessionRefused:     "SessionRefused",
	IdleExpired:        "IdleExpired",
	UptimeExpired:      "UptimeExpired",
}

// String returns the kind's name, such as PollDue.
func (k EventKind) String() string {
	if int(k) < eventKindCount {
		return eventKindNames[k]
	}
	return "EventKind(?)"
}

// EventKinds returns every kind, in the order of their declaration.
func EventKinds() []EventKind {
	kinds := make([]EventKind, eventKindCount)
	for i := range kinds {
		kinds[i] = EventKind(i)
	}
	return kinds
}

// ParseEventKind returns the kind with that name, and whether there is one.
func ParseEventKind(name string) (EventKind, bool) {
	for i, n := range eventKindNames {
		if n == name {
			return EventKind(i), true
		}
	}
	return Started, false
}

// Event is one thing that happened to a worker. It is comparable.
type Event struct {
	// Kind says what happened.
	Kind EventKind
	// Epoch is that of the connection or the ping that the event is about;
	// zero for the other kinds.
	Epoch Epoch
	// Job is the id that ReceivedJob, AnsweredJob, JobFinished and JobRejected
	// are about; empty for the other kinds.
	Job JobID
}

// String returns the event on one line, such as "ReceivedJob epoch=3 job=J1".
func (e Event) String() string {
	s := e.Kind.String()
	if e.Epoch != 0 {
		s += " epoch=" + strconv.FormatUint(uint64(e.Epoch), 10)
	}
	if e.Job != "" {
		s += " job=" + string(e.Job)
	}
	return s
}

// ofConnection tells whether the event is about one connection of the stream.
func (e Event) ofConnection() bool {
	return e.Kind >= ReceivedResume && e.Kind <= StreamRefused
}

// isMessage tells whether the event is a message of the stream.
func (e Event) isMessage() bool {
	return e.Kind >= ReceivedResume && e.Kind <= ReceivedJob
}

// ofPing tells whether the event ends a ping.
func (e Event) ofPing() bool {
	return e.Kind >= AnsweredIdle && e.Kind <= PollRefused
}

// ofJob tells whether the event ends the job in hand.
func (e Event) ofJob() bool {
	return e.Kind == JobFinished || e.Kind == JobRejected
}
