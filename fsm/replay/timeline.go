package replay

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Timeline is what workers did over time, from the records of a log. Write it
// with WriteText, WriteJSON or WriteSVG.
type Timeline struct {
	// Begin and End are the times of the first and the last record of all; nil
	// without records.
	Begin *time.Time `json:"begin"`
	End   *time.Time `json:"end"`
	// Workers are in the order of their first records.
	Workers []WorkerTimeline `json:"workers"`
}

// WorkerTimeline is what one worker did.
type WorkerTimeline struct {
	// Worker is its ID, and Name its name, if the log has it.
	Worker string `json:"worker"`
	Name   string `json:"name,omitempty"`
	// Begin and End are the times of its first and its last record. A worker that
	// has left ends when it left.
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	// Left is the end of the worker; nil if it is not in the log.
	Left *Departure `json:"left"`
	// Killed: its process ended without it leaving.
	Killed  bool    `json:"killed,omitempty"`
	Summary Summary `json:"summary"`
	// States follow each other without a gap, and no two neighbors are the same.
	States []StateSpan `json:"states"`
	Jobs   []JobSpan   `json:"jobs"`
	Pings  []PingSpan  `json:"pings"`
	// Marks are the failures of the stream, and its planned ends.
	Marks []StreamMark `json:"stream"`
	// Outages are the times in which the stream was down or refused: from its
	// loss to its next message, in any state.
	Outages []Span `json:"outages"`
	// Pauses are the times in which the worker was paused.
	Pauses []Span `json:"pauses"`
}

// Seconds is a duration that is a number of seconds in JSON.
type Seconds time.Duration

// MarshalJSON returns the number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(s).Seconds()) //nolint:wrapcheck // no duration fails
}

// Span is a time from one moment to another.
type Span struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Length Seconds   `json:"seconds"`
}

func (s *Span) end(at time.Time) { s.To, s.Length = at, Seconds(at.Sub(s.From)) }

// Duration returns the length of the span.
func (s *Span) Duration() time.Duration { return time.Duration(s.Length) }

// StateSpan is a time in one state.
type StateSpan struct {
	Span

	State fsm.State `json:"state"`

	notes []string // what happened, in words, from the event that led here
	job   bool     // a job was in hand at some time
}

// Outcome is the result of a job: the brief of the event that ended it, or
// Unfinished.
type Outcome string

// The outcomes that the drawings distinguish.
const (
	Rejected Outcome = "rejected"
	// Unfinished: the end is not in the log.
	Unfinished Outcome = "unfinished"
)

// JobSpan is a job in hand.
type JobSpan struct {
	Span

	Job     fsm.JobID `json:"job"`
	Outcome Outcome   `json:"outcome"`
	// Cause is why it ended so, if that is known.
	Cause string `json:"cause,omitempty"`
	// Before: the job was in hand before the first record about it.
	Before bool `json:"began_before,omitempty"`
}

// Answer is the result of a ping: the brief of the event that ended it,
// PingCanceled or Unanswered.
type Answer string

// The results of a ping that no event has ended.
const (
	PingCanceled Answer = "canceled"
	// Unanswered: the answer is not in the log.
	Unanswered Answer = "unanswered"
)

// PingSpan is a ping in flight.
type PingSpan struct {
	Span

	Epoch  fsm.Epoch `json:"epoch"`
	Answer Answer    `json:"answer"`
	// Count is how many pings this is, one after another with the same answer and cause; 0
	// is one.
	Count int    `json:"count,omitempty"`
	Cause string `json:"cause,omitempty"`

	kind fsm.EventKind // that ended it
}

// failed reports whether the ping failed or was refused.
func (p *PingSpan) failed() bool { return p.kind == fsm.PollFailed || p.kind == fsm.PollRefused }

// pings returns how many pings the span is.
func (p *PingSpan) pings() int { return max(1, p.Count) }

// StreamMark is a failure of the stream, or its planned end.
type StreamMark struct {
	Time time.Time `json:"time"`
	// Kind is the end of a connection, or TrustExpired.
	Kind  fsm.EventKind `json:"kind"`
	Cause string        `json:"cause,omitempty"`
	// Again: the stream was down already, and an attempt to reopen it failed.
	Again bool `json:"again,omitempty"`
}

// Loss reports whether the mark is a loss, and not a planned end or another
// failed attempt.
func (m *StreamMark) Loss() bool { return m.Kind != fsm.StreamEnded && !m.Again }

func (m *StreamMark) text() string {
	if m.Again {
		return m.Kind.Brief() + " again"
	}
	return m.Kind.Brief()
}

// Departure is the end of a worker.
type Departure struct {
	Time   time.Time       `json:"time"`
	Reason fsm.LeaveReason `json:"reason"`
	Failed bool            `json:"failed"`
}

// NewTimeline returns the timeline of records of any number of workers. The
// records of each worker must be in their order. Ignored events have no effect.
func NewTimeline(records []fsm.Record) *Timeline {
	t := &Timeline{Workers: []WorkerTimeline{}}
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
	for _, k := range order {
		w := k.finish()
		if t.Begin == nil || w.Begin.Before(*t.Begin) {
			t.Begin = &w.Begin
		}
		if t.End == nil || w.End.After(*t.End) {
			t.End = &w.End
		}
		t.Workers = append(t.Workers, w)
	}
	return t
}

// Title returns what the worker is called: its name, with its ID behind it.
func (w *WorkerTimeline) Title() string { return title(w.Name, w.Worker) }

func title(name, id string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

// label returns what the worker is called in a narrow place.
func (w *WorkerTimeline) label() string { return cmp.Or(w.Name, w.Worker) }

// length returns the time from the first to the last record.
func (t *Timeline) length() time.Duration {
	if t.Begin == nil {
		return 0
	}
	return t.End.Sub(*t.Begin)
}

// WriteJSON writes the whole timeline as JSON: times in RFC 3339, durations in
// seconds.
func (t *Timeline) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(t); err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}
