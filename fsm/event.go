package fsm

import "strconv"

// JobID names a job. It is empty where there is no job.
type JobID string

// Epoch numbers the attempts of one kind, connections or pings, so that an
// event of a past attempt can be recognized. It only grows; the first is 1.
type Epoch uint64

// Class groups the event kinds by what they are about.
type Class uint8

// The classes.
const (
	// ClassRequest is a request to the worker as a whole: to start or to leave.
	ClassRequest Class = iota
	// ClassTimer is a deadline of the worker that has passed.
	ClassTimer
	// ClassMessage is a message on the stream. It carries the epoch of its
	// connection.
	ClassMessage
	// ClassConnectionEnd is the end of a connection, or of an attempt to open
	// one. It carries the epoch of the connection.
	ClassConnectionEnd
	// ClassAnswer is the end of a ping. It carries the epoch of the ping.
	ClassAnswer
	// ClassJobEnd is the end of the job in hand. It carries the job's ID.
	ClassJobEnd
)

// EventKind is what happened to a worker. Each instruction of the stream, and of
// a ping's answer, is a kind of its own, because the table distinguishes them.
type EventKind uint8

// The events.
const (
	Started EventKind = iota
	ReceivedResume
	ReceivedPause
	ReceivedDisconnect
	ReceivedJob
	TrustExpired // carries the epoch of the connection that it is about
	StreamEnded
	StreamLost
	StreamRefused
	PollDue
	AnsweredIdle
	AnsweredPause
	AnsweredDisconnect
	AnsweredJob
	PollFailed
	PollRefused
	JobFinished
	JobRejected
	DrainRequested
	ForceRequested
	SessionRefused
	IdleExpired
	UptimeExpired

	eventKindCount = iota // stays last
)

type eventInfo struct {
	name    string
	class   Class
	brief   string
	meaning string
}

// eventKinds describes every event.
var eventKinds = [eventKindCount]eventInfo{
	Started: {"Started", ClassRequest, "started", "the worker starts"},
	ReceivedResume: {
		"ReceivedResume", ClassMessage, "resume",
		"the stream sent resume, or a message without an instruction (a keep-alive); a pause ends",
	},
	ReceivedPause: {"ReceivedPause", ClassMessage, "pause", "the stream sent pause; the worker takes no work until it is resumed"},
	ReceivedDisconnect: {
		"ReceivedDisconnect", ClassMessage, "disconnect requested",
		"the stream sent disconnect; the worker leaves as soon as no job is in hand, and nothing later revokes that",
	},
	ReceivedJob: {"ReceivedJob", ClassMessage, "job offered", "the stream named a job that is assigned to this worker"},
	TrustExpired: {
		"TrustExpired", ClassTimer, "stream silent, no message in time",
		"the first message of a connection, or the next one, did not arrive in time; the connection stays open, and a late message counts",
	},
	StreamEnded: {"StreamEnded", ClassConnectionEnd, "stream ended as planned", "a connection that had sent a message came to a planned end"},
	StreamLost: {
		"StreamLost", ClassConnectionEnd, "stream lost",
		"a connection ended in any other way: a failed attempt, silence for too long, an end without a message",
	},
	StreamRefused:      {"StreamRefused", ClassConnectionEnd, "stream refused", "the control plane refused to serve a stream to this worker"},
	PollDue:            {"PollDue", ClassTimer, "ping due", "it is time for the next ping"},
	AnsweredIdle:       {"AnsweredIdle", ClassAnswer, "idle", "the ping's answer has nothing to do; a pause ends, unless the answer is old"},
	AnsweredPause:      {"AnsweredPause", ClassAnswer, "pause", "the ping's answer is pause; it counts unless the answer is old"},
	AnsweredDisconnect: {"AnsweredDisconnect", ClassAnswer, "disconnect", "the ping's answer is disconnect"},
	AnsweredJob: {
		"AnsweredJob", ClassAnswer, "job",
		"the ping's answer names a job that is assigned to this worker; a pause ends, unless the answer is old",
	},
	PollFailed:  {"PollFailed", ClassAnswer, "failed", "the ping failed without an answer of the control plane; nothing else changes"},
	PollRefused: {"PollRefused", ClassAnswer, "refused", "the control plane refused the ping for good"},
	JobFinished: {"JobFinished", ClassJobEnd, "finished", "the job has ended, and its result is acknowledged or stored for later delivery"},
	JobRejected: {
		"JobRejected", ClassJobEnd, "rejected",
		"the control plane refused to let the job start, or the worker stopped asking; the job may be offered again",
	},
	DrainRequested: {"DrainRequested", ClassRequest, "drain requested", "a user asked the worker to finish its job and leave"},
	ForceRequested: {"ForceRequested", ClassRequest, "forced to leave", "a user asked the worker to cancel its job and leave"},
	SessionRefused: {"SessionRefused", ClassRequest, "session refused", "the control plane no longer knows the worker"},
	IdleExpired:    {"IdleExpired", ClassTimer, "idle for too long", "the agent had no job, and was not paused, for as long as it may be"},
	UptimeExpired: {
		"UptimeExpired", ClassTimer, "uptime reached",
		"the worker reached its maximum uptime; a paused worker leaves when it is resumed",
	},
}

func (k EventKind) info() *eventInfo {
	if k < eventKindCount {
		return &eventKinds[k]
	}
	return &eventInfo{name: noName}
}

// String returns the kind's name, such as PollDue.
func (k EventKind) String() string { return k.info().name }

// Class returns what the event is about.
func (k EventKind) Class() Class { return k.info().class }

// Brief returns the event in a few words, for a timeline. For an answer and for
// the end of a job that is the result, such as "failed".
func (k EventKind) Brief() string { return k.info().brief }

// Meaning returns a description of the event on one line.
func (k EventKind) Meaning() string { return k.info().meaning }

// EventKinds returns every kind, in the order of their declaration.
func EventKinds() []EventKind { return valuesOf[EventKind](eventKindCount) }

// ParseEventKind returns the kind with that name, and reports whether there is
// one.
func ParseEventKind(name string) (EventKind, bool) { return parse[EventKind](eventKindCount, name) }

// Event is one thing that happened to a worker. It is comparable.
type Event struct {
	Kind EventKind
	// Epoch is that of the connection or the ping that the event is about; zero
	// for kinds without one.
	Epoch Epoch
	// Job is the ID that ReceivedJob, AnsweredJob, JobFinished and JobRejected
	// are about, and the job to acquire of Started; empty for other kinds.
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
