package fsm

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LogFormat is the version of the form of a transition log. Form 1 has no folded records,
// no names, and no processes.
const LogFormat = 2

// LogHeader is the first line of each file of a transition log. It names the
// table by which the workers were controlled, because another one may answer
// differently.
type LogHeader struct {
	// Format is the version of the form of the lines.
	Format int `json:"transition_log"`
	// Table is the hash of the table; see TableHash.
	Table string `json:"table"`
	// Program is the version of the program that wrote the log.
	Program string `json:"program,omitempty"`
	// Process names the process that wrote the log: a worker that has not left before a
	// header of another process ended with its own.
	Process string `json:"process,omitempty"`
	// Time is when the file was begun or continued.
	Time time.Time `json:"time,omitzero"`
}

// NewLogHeader returns the header of a log that a process of this program begins at a time.
func NewLogHeader(program, process string, at time.Time) LogHeader {
	return LogHeader{Format: LogFormat, Table: TableHash(), Program: program, Process: process, Time: at}
}

// LogGap is a line of a log in place of records that were dropped.
type LogGap struct {
	Time time.Time `json:"time"`
	// Dropped is the number of records that are missing here.
	Dropped uint64 `json:"dropped"`
}

// recordLine is the form of a record in a log.
type recordLine struct {
	Time    time.Time  `json:"time"`
	Worker  string     `json:"worker"`
	Name    string     `json:"name,omitempty"`
	Event   *EventKind `json:"event"`
	Epoch   Epoch      `json:"epoch,omitempty"`
	Job     JobID      `json:"job,omitempty"`
	Cause   string     `json:"cause,omitempty"`
	From    *State     `json:"from"`
	To      *State     `json:"to"`
	Guard   string     `json:"guard,omitempty"`
	Ignored string     `json:"ignored,omitempty"`
	Effects []Effect   `json:"effects,omitempty"`
	Facts   *factsLine `json:"facts"`
	Folded  int        `json:"folded,omitempty"`
	Since   time.Time  `json:"since,omitzero"`
}

type factsLine struct {
	Facts

	Mailbox []JobID `json:"mailbox,omitempty"`
	// Seen is present only where it does not follow from the records before: in
	// the first record of a worker in a file, and in the first one after a gap.
	Seen *[]JobID `json:"seen,omitempty"`
}

// Encode appends the record to b as a line of a log. A whole record holds all
// that a replay needs to begin there, and the name of the worker; any other leaves out the
// jobs seen, which follow from the records before, and the name. A folded record must be
// whole. It returns no error: every value has a form.
func (r *Record) Encode(b []byte, whole bool) []byte {
	return append(append(object(append(b, '{')).record(r, whole), '}'), '\n')
}

// Encode appends the header to b as a line.
func (h LogHeader) Encode(b []byte) []byte { return appendJSON(b, h) }

// Encode appends the gap to b as a line.
func (g LogGap) Encode(b []byte) []byte { return appendJSON(b, g) }

func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a time after the year 9999, or a bug of this package
	}
	return append(append(b, text...), '\n')
}

// LogLine is a line of a log: one of the three.
type LogLine struct {
	Header *LogHeader
	Gap    *LogGap
	Record *Record
	// Whole: the record holds the jobs seen.
	Whole bool
}

var errNotALogLine = errors.New("it is neither a header, nor a record, nor a gap of a transition log")

// ParseLogLine reads a line of a log. It returns an error if the line is not
// JSON, has an unknown name in it, or is none of the three kinds.
func ParseLogLine(text []byte) (LogLine, error) {
	var read struct {
		recordLine

		Format  *int    `json:"transition_log"`
		Table   string  `json:"table"`
		Program string  `json:"program"`
		Process string  `json:"process"`
		Dropped *uint64 `json:"dropped"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return LogLine{}, fmt.Errorf("reading JSON: %w", err)
	}
	switch {
	case read.Format != nil:
		return LogLine{Header: &LogHeader{*read.Format, read.Table, read.Program, read.Process, read.Time}}, nil
	case read.Dropped != nil:
		return LogLine{Gap: &LogGap{read.Time, *read.Dropped}}, nil
	case read.Event == nil || read.From == nil || read.To == nil || read.Facts == nil:
		return LogLine{}, errNotALogLine
	case read.Folded < 0 || read.Folded > 0 && read.Facts.Seen == nil:
		return LogLine{}, errors.New("it is a folded record without all facts")
	}
	r := &Record{
		Time: read.Time, Worker: read.Worker, Name: read.Name, Folded: read.Folded, Since: read.Since,
		Event: Event{Kind: *read.Event, Epoch: read.Epoch, Job: read.Job}, Cause: read.Cause,
		From: *read.From, To: *read.To, Guard: read.Guard, Ignored: read.Ignored, Effects: read.Effects, Facts: read.Facts.Facts,
	}
	r.Facts.Mailbox = MailboxOf(read.Facts.Mailbox...)
	if read.Facts.Seen != nil {
		r.Facts.Seen = SeenOf(*read.Facts.Seen...)
	}
	return LogLine{Record: r, Whole: read.Facts.Seen != nil}, nil
}
