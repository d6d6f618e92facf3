package replay

import (
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Timeline is what workers did over time, as a log tells it. Write it with
// WriteText, WriteJSON or WriteSVG.
type Timeline struct {
	// Begin and End are the times of the first and the last record of all.
	Begin, End time.Time
	// Workers are in the order in which the log first names them.
	Workers []WorkerTimeline
}

// WorkerTimeline is what one worker did.
type WorkerTimeline struct {
	// Worker is its id.
	Worker string
	// Begin and End are the times of its first and its last record; a worker
	// that has left ends when it left.
	Begin, End time.Time
	// States follow each other without a gap, and no two neighbours are the same.
	States []StateSpan
	Jobs   []JobSpan
	Pings  []PingSpan
	// Marks are what went wrong with the stream, and its planned ends.
	Marks []StreamMark
	// Outages are the times in which the stream was down or refused: from its
	// loss to its next message, whoever was in control.
	Outages []Span
	// Pauses are the times in which the worker took no work.
	Pauses []Span
	// Left is the end of the worker; nil if it is not in the log.
	Left *Departure
	// Summary is all of it in a few numbers.
	Summary Summary
}

// Span is a time from one moment to another.
type Span struct {
	From, To time.Time
}

// Duration returns how long the span is.
func (s Span) Duration() time.Duration { return s.To.Sub(s.From) }

// StateSpan is a time in one state.
type StateSpan struct {
	Span

	State fsm.State

	notes []string // what happened, in words, from what led here on
	job   bool     // a job was in hand at some time
}

// Outcome says what became of a job.
type Outcome string

// The outcomes.
const (
	Finished Outcome = "finished"
	Rejected Outcome = "rejected"
	// Unfinished: the log does not tell the end.
	Unfinished Outcome = "unfinished"
)

// JobSpan is a job in hand.
type JobSpan struct {
	Span

	Job     fsm.JobID
	Outcome Outcome
	// Cause is why it ended so, if something is known.
	Cause string
	// Before tells that the job was in hand before the log tells of it.
	Before bool
}

// Answer says what became of a ping.
type Answer string

// The answers, and what came in place of one.
const (
	AnswerIdle       Answer = "idle"
	AnswerPause      Answer = "pause"
	AnswerDisconnect Answer = "disconnect"
	AnswerJob        Answer = "job"
	PingFailed       Answer = "failed"
	PingRefused      Answer = "refused"
	PingCancelled    Answer = "cancelled"
	// Unanswered: the log does not tell the answer.
	Unanswered Answer = "unanswered"
)

// Failed tells whether the ping got no answer that is of use.
func (a Answer) Failed() bool { return a == PingFailed || a == PingRefused }

// answers are the events that end a ping.
var answers = map[fsm.EventKind]Answer{
	fsm.AnsweredIdle: AnswerIdle, fsm.AnsweredPause: AnswerPause, fsm.AnsweredDisconnect: AnswerDisconnect,
	fsm.AnsweredJob: AnswerJob, fsm.PollFailed: PingFailed, fsm.PollRefused: PingRefused,
}

// PingSpan is a ping in flight.
type PingSpan struct {
	Span

	Epoch  fsm.Epoch
	Answer Answer
	Cause  string
}

// StreamMark is a moment in which something was wrong with the stream, or in
// which it ended as planned.
type StreamMark struct {
	Time time.Time
	// Kind is StreamLost, StreamRefused, TrustExpired or StreamEnded.
	Kind  fsm.EventKind
	Cause string
	// Again tells that the stream was down already: an attempt to open it anew
	// has failed.
	Again bool
}

// Loss tells whether the mark is of a loss, and not of a planned end or of one
// more failed attempt.
func (m *StreamMark) Loss() bool { return m.Kind != fsm.StreamEnded && !m.Again }

// Departure is the end of a worker.
type Departure struct {
	Time   time.Time
	Reason fsm.LeaveReason
}

// NewTimeline returns the timeline of records of any number of workers, mixed,
// those of each worker in their order. Events that the machine ignored change
// nothing.
func NewTimeline(records []fsm.Record) *Timeline {
	t := &Timeline{}
	tracks := map[string]*track{}
	var order []*track
	for i := range records {
		r := &records[i]
		k := tracks[r.Worker]
		if k == nil {
			k = newTrack(r.Worker)
			tracks[r.Worker] = k
			order = append(order, k)
		}
		k.add(r)
	}
	for i, k := range order {
		w := k.finish()
		if i == 0 || w.Begin.Before(t.Begin) {
			t.Begin = w.Begin
		}
		if w.End.After(t.End) {
			t.End = w.End
		}
		t.Workers = append(t.Workers, w)
	}
	return t
}
