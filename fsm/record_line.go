package fsm

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LogFormat numbers the form of a log's lines.
const LogFormat = 1

// LogHeader is the first line of each file of a log. It says by which table the
// workers went, since another one may well answer otherwise.
type LogHeader struct {
	// Format is the number of the form of the lines.
	Format int `json:"transition_log"`
	// Table is the hash of the table's version; see TableHash.
	Table string `json:"table"`
	// Program is the version of the program that wrote the log.
	Program string `json:"program,omitempty"`
}

// NewLogHeader returns the header of a log that this program writes.
func NewLogHeader(program string) LogHeader {
	return LogHeader{Format: LogFormat, Table: TableHash(), Program: program}
}

// LogGap is a line of a log in the place of records that were not written.
type LogGap struct {
	Time time.Time `json:"time"`
	// Dropped is how many records are missing here.
	Dropped uint64 `json:"dropped"`
}

// recordLine is a record on its line of a log.
type recordLine struct {
	Time    time.Time    `json:"time"`
	Worker  string       `json:"worker"`
	Event   *EventKind   `json:"event"`
	Epoch   Epoch        `json:"epoch,omitempty"`
	Job     JobID        `json:"job,omitempty"`
	Cause   string       `json:"cause,omitempty"`
	From    *State       `json:"from"`
	To      *State       `json:"to"`
	Guard   string       `json:"guard,omitempty"`
	Ignored string       `json:"ignored,omitempty"`
	Effects []effectLine `json:"effects,omitempty"`
	Facts   *factsLine   `json:"facts"`
}

type effectLine struct {
	Do     EffectKind  `json:"do"`
	Epoch  Epoch       `json:"epoch,omitempty"`
	Job    JobID       `json:"job,omitempty"`
	Reason LeaveReason `json:"reason,omitzero"`
}

type factsLine struct {
	Mode       Mode         `json:"mode"`
	AfterJob   bool         `json:"after_job,omitempty"`
	Stream     StreamStatus `json:"stream"`
	Connection Epoch        `json:"connection,omitempty"`
	Paused     bool         `json:"paused,omitempty"`
	Leaving    LeaveReason  `json:"leaving,omitzero"`
	Retiring   LeaveReason  `json:"retiring,omitzero"`
	Job        JobID        `json:"job,omitempty"`
	Ping       Epoch        `json:"ping,omitempty"`
	Pinging    bool         `json:"pinging,omitempty"`
	Old        bool         `json:"old,omitempty"`
	Mailbox    []JobID      `json:"mailbox,omitempty"`
	// Seen is there only where the records before are not: the first record of a
	// worker in a file, and the first one after a gap. Elsewhere it follows.
	Seen *[]JobID `json:"seen,omitempty"`
}

// Encode appends the record to b as a line of a log. A whole record holds all
// that a replay needs to begin at it; any other leaves out the jobs seen, which
// follow from the records before. It returns no error: every value has a form.
func (r *Record) Encode(b []byte, whole bool) []byte {
	l := recordLine{
		Time: r.Time, Worker: r.Worker, Event: &r.Event.Kind, Epoch: r.Event.Epoch, Job: r.Event.Job, Cause: r.Cause,
		From: &r.From, To: &r.To, Guard: r.Guard, Ignored: r.Ignored, Facts: lineOfFacts(&r.Facts, whole),
	}
	for _, e := range r.Effects {
		l.Effects = append(l.Effects, effectLine{e.Kind, e.Epoch, e.Job, e.Reason})
	}
	return appendJSON(b, &l)
}

// Encode appends the header to b as a line.
func (h LogHeader) Encode(b []byte) []byte { return appendJSON(b, h) }

// Encode appends the gap to b as a line.
func (g LogGap) Encode(b []byte) []byte { return appendJSON(b, g) }

func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a time after the year 9999, or a bug of ours
	}
	return append(append(b, text...), '\n')
}

func lineOfFacts(f *Facts, whole bool) *factsLine {
	w := &factsLine{
		Mode: f.Mode, AfterJob: f.RetireAfterJob, Stream: f.Stream, Connection: f.Connection, Paused: f.Paused,
		Leaving: f.Leaving, Retiring: f.Retiring, Job: f.Job, Ping: f.Ping, Pinging: f.Pinging, Old: f.PingIsOld,
		Mailbox: f.Mailbox.IDs(),
	}
	if whole {
		seen := f.Seen.IDs()
		if seen == nil {
			seen = []JobID{}
		}
		w.Seen = &seen
	}
	return w
}

func (w *factsLine) facts() Facts {
	f := Facts{
		Mode: w.Mode, RetireAfterJob: w.AfterJob, Stream: w.Stream, Connection: w.Connection, Paused: w.Paused,
		Leaving: w.Leaving, Retiring: w.Retiring, Job: w.Job, Ping: w.Ping, Pinging: w.Pinging, PingIsOld: w.Old,
		Mailbox: MailboxOf(w.Mailbox...),
	}
	if w.Seen != nil {
		f.Seen = SeenOf(*w.Seen...)
	}
	return f
}

// LogLine is a line of a log that was read: one of the three.
type LogLine struct {
	Header *LogHeader
	Gap    *LogGap
	Record *Record
	Whole  bool // the record holds the jobs seen
}

// errNoLine is for a line of JSON that is none of a log.
var errNoLine = errors.New("it is neither a header, nor a record, nor a gap of a transition log")

// ParseLogLine reads a line of a log.
func ParseLogLine(text []byte) (LogLine, error) {
	var read struct {
		recordLine

		Format  *int    `json:"transition_log"`
		Table   string  `json:"table"`
		Program string  `json:"program"`
		Dropped *uint64 `json:"dropped"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return LogLine{}, fmt.Errorf("reading JSON: %w", err)
	}
	switch {
	case read.Format != nil:
		return LogLine{Header: &LogHeader{*read.Format, read.Table, read.Program}}, nil
	case read.Dropped != nil:
		return LogLine{Gap: &LogGap{read.Time, *read.Dropped}}, nil
	case read.Event == nil || read.From == nil || read.To == nil || read.Facts == nil:
		return LogLine{}, errNoLine
	}
	r := &Record{
		Time: read.Time, Worker: read.Worker, Event: Event{Kind: *read.Event, Epoch: read.Epoch, Job: read.Job}, Cause: read.Cause,
		From: *read.From, To: *read.To, Guard: read.Guard, Ignored: read.Ignored, Facts: read.Facts.facts(),
	}
	for _, e := range read.Effects {
		r.Effects = append(r.Effects, Effect{Kind: e.Do, Epoch: e.Epoch, Job: e.Job, Reason: e.Reason})
	}
	return LogLine{Record: r, Whole: read.Facts.Seen != nil}, nil
}
