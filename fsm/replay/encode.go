package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// formatVersion numbers the form of a log's lines.
const formatVersion = 1

// Header is the first line of each file of a log. It says by which table the
// workers went, since another one may well answer otherwise.
type Header struct {
	// Format is the number of the form of the lines.
	Format int `json:"transition_log"`
	// Table is the hash of the table's version; see fsm.TableHash.
	Table string `json:"table"`
	// Program is the version of the program that wrote the log.
	Program string `json:"program,omitempty"`
}

// NewHeader returns the header of a log that this program writes.
func NewHeader(program string) Header {
	return Header{Format: formatVersion, Table: fsm.TableHash(), Program: program}
}

// Gap is a line of a log in the place of records that were not written.
type Gap struct {
	Time time.Time `json:"time"`
	// Dropped is how many records are missing here.
	Dropped uint64 `json:"dropped"`
}

// line is a record on its line of a log.
type line struct {
	Time    time.Time      `json:"time"`
	Worker  string         `json:"worker"`
	Event   *fsm.EventKind `json:"event"`
	Epoch   fsm.Epoch      `json:"epoch,omitempty"`
	Job     fsm.JobID      `json:"job,omitempty"`
	Cause   string         `json:"cause,omitempty"`
	From    *fsm.State     `json:"from"`
	To      *fsm.State     `json:"to"`
	Guard   string         `json:"guard,omitempty"`
	Ignored string         `json:"ignored,omitempty"`
	Effects []effect       `json:"effects,omitempty"`
	Facts   *facts         `json:"facts"`
}

type effect struct {
	Do     fsm.EffectKind  `json:"do"`
	Epoch  fsm.Epoch       `json:"epoch,omitempty"`
	Job    fsm.JobID       `json:"job,omitempty"`
	Reason fsm.LeaveReason `json:"reason,omitzero"`
}

type facts struct {
	Mode       fsm.Mode         `json:"mode"`
	AfterJob   bool             `json:"after_job,omitempty"`
	Stream     fsm.StreamStatus `json:"stream"`
	Connection fsm.Epoch        `json:"connection,omitempty"`
	Paused     bool             `json:"paused,omitempty"`
	Leaving    fsm.LeaveReason  `json:"leaving,omitzero"`
	Retiring   fsm.LeaveReason  `json:"retiring,omitzero"`
	Job        fsm.JobID        `json:"job,omitempty"`
	Ping       fsm.Epoch        `json:"ping,omitempty"`
	Pinging    bool             `json:"pinging,omitempty"`
	Old        bool             `json:"old,omitempty"`
	Mailbox    []fsm.JobID      `json:"mailbox,omitempty"`
	// Seen is there only where the records before are not: the first record of a
	// worker in a file, and the first one after a gap. Elsewhere it follows.
	Seen *[]fsm.JobID `json:"seen,omitempty"`
}

// Encode appends the record to b as a line of a log. A whole record holds all
// that a replay needs to begin at it; any other leaves out the jobs seen, which
// follow from the records before. It returns no error: every value has a form.
func (r *Record) Encode(b []byte, whole bool) []byte {
	l := line{
		Time: r.Time, Worker: r.Worker, Event: &r.Event.Kind, Epoch: r.Event.Epoch, Job: r.Event.Job, Cause: r.Cause,
		From: &r.From, To: &r.To, Guard: r.Guard, Ignored: r.Ignored, Facts: wireFacts(&r.Facts, whole),
	}
	for _, e := range r.Effects {
		l.Effects = append(l.Effects, effect{e.Kind, e.Epoch, e.Job, e.Reason})
	}
	return appendJSON(b, &l)
}

// Encode appends the header to b as a line.
func (h Header) Encode(b []byte) []byte { return appendJSON(b, h) }

// Encode appends the gap to b as a line.
func (g Gap) Encode(b []byte) []byte { return appendJSON(b, g) }

func appendJSON(b []byte, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err) // a time after the year 9999, or a bug of ours
	}
	return append(append(b, text...), '\n')
}

func wireFacts(f *fsm.Facts, whole bool) *facts {
	w := &facts{
		Mode: f.Mode, AfterJob: f.RetireAfterJob, Stream: f.Stream, Connection: f.Connection, Paused: f.Paused,
		Leaving: f.Leaving, Retiring: f.Retiring, Job: f.Job, Ping: f.Ping, Pinging: f.Pinging, Old: f.PingIsOld,
		Mailbox: f.Mailbox.IDs(),
	}
	if whole {
		seen := f.Seen.IDs()
		if seen == nil {
			seen = []fsm.JobID{}
		}
		w.Seen = &seen
	}
	return w
}

func (w *facts) facts() fsm.Facts {
	f := fsm.Facts{
		Mode: w.Mode, RetireAfterJob: w.AfterJob, Stream: w.Stream, Connection: w.Connection, Paused: w.Paused,
		Leaving: w.Leaving, Retiring: w.Retiring, Job: w.Job, Ping: w.Ping, Pinging: w.Pinging, PingIsOld: w.Old,
		Mailbox: fsm.MailboxOf(w.Mailbox...),
	}
	if w.Seen != nil {
		f.Seen = fsm.SeenOf(*w.Seen...)
	}
	return f
}

// entry is a line of a log that was read: one of the three.
type entry struct {
	header *Header
	gap    *Gap
	record *Record
	whole  bool // the record holds the jobs seen
}

// errNoLine is for a line of JSON that is none of a log.
var errNoLine = errors.New("it is neither a header, nor a record, nor a gap of a transition log")

// decode reads a line of a log.
func decode(text []byte) (entry, error) {
	var read struct {
		line

		Format  *int    `json:"transition_log"`
		Table   string  `json:"table"`
		Program string  `json:"program"`
		Dropped *uint64 `json:"dropped"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return entry{}, fmt.Errorf("reading JSON: %w", err)
	}
	switch {
	case read.Format != nil:
		return entry{header: &Header{*read.Format, read.Table, read.Program}}, nil
	case read.Dropped != nil:
		return entry{gap: &Gap{read.Time, *read.Dropped}}, nil
	case read.Event == nil || read.From == nil || read.To == nil || read.Facts == nil:
		return entry{}, errNoLine
	}
	r := &Record{
		Time: read.Time, Worker: read.Worker, Event: fsm.Event{Kind: *read.Event, Epoch: read.Epoch, Job: read.Job}, Cause: read.Cause,
		From: *read.From, To: *read.To, Guard: read.Guard, Ignored: read.Ignored, Facts: read.Facts.facts(),
	}
	for _, e := range read.Effects {
		r.Effects = append(r.Effects, fsm.Effect{Kind: e.Do, Epoch: e.Epoch, Job: e.Job, Reason: e.Reason})
	}
	return entry{record: r, whole: read.Facts.Seen != nil}, nil
}
