package telemetry

import (
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// maxFold is the longest time that one folded record stands for. What a killed agent has
// not written is at most that: the pings of a worker without a job.
const maxFold = 10 * time.Minute

// folder makes one record of the events of an idle worker that repeat: pings with the same
// result and cause, and messages that say to go on. The first of them is passed on as it
// is; a change of state, a job, or another result ends the run. It needs no timer.
type folder struct {
	workers map[string]*run
}

// run is the events of one worker that repeat.
type run struct {
	// kind and cause are those of what may repeat.
	kind  fsm.EventKind
	cause string
	// due is that a ping is due, until its answer shows whether it repeats; nil if none is.
	due *fsm.Record
	// folded is the record of the run; Folded is 0 if there is none.
	folded fsm.Record
}

func newFolder() *folder { return &folder{workers: map[string]*run{}} }

// add takes a record, and calls write with those that must be written now.
func (f *folder) add(r fsm.Record, write func(fsm.Record)) {
	w := f.workers[r.Worker]
	if w == nil {
		w = &run{}
		f.workers[r.Worker] = w
	}
	if w.folded.Folded > 0 && r.Time.Sub(w.folded.Since) >= maxFold {
		w.flushFolded(write)
	}
	idle := r.Facts.Job == "" && r.Facts.Mailbox.Len() == 0 && r.Ignored == ""
	kind := r.Event.Kind
	switch {
	case idle && kind == fsm.PollDue && r.Cause == "" && w.kind.Class() == fsm.ClassAnswer && w.due == nil:
		w.due = &r
		return
	case idle && (kind == fsm.AnsweredIdle || kind == fsm.PollFailed) && r.To == fsm.FallingBack:
		if w.due != nil && kind == w.kind && r.Cause == w.cause {
			w.fold(r, w.due.Time, 2) // the ping that was due, and its answer
			w.due = nil
			return
		}
		w.flush(write)
		w.kind, w.cause = kind, r.Cause
	case idle && kind == fsm.ReceivedResume && r.Cause == "" && r.From == r.To && r.To == fsm.StreamHealthy:
		if kind == w.kind && w.due == nil {
			w.fold(r, r.Time, 1)
			return
		}
		w.flush(write)
		w.kind, w.cause = kind, ""
	default:
		w.flush(write)
		w.kind, w.cause = fsm.EventKind(0), ""
	}
	write(r)
	if r.To == fsm.Stopped {
		delete(f.workers, r.Worker)
	}
}

// fold adds events to the run, of which r is the last one.
func (w *run) fold(r fsm.Record, since time.Time, events int) {
	if w.folded.Folded > 0 {
		since = w.folded.Since
	}
	events += w.folded.Folded
	w.folded = r
	w.folded.Folded, w.folded.Since = events, since
}

func (w *run) flushFolded(write func(fsm.Record)) {
	if w.folded.Folded > 0 {
		write(w.folded)
		w.folded = fsm.Record{}
	}
}

// flush writes what is held back.
func (w *run) flush(write func(fsm.Record)) {
	w.flushFolded(write)
	if w.due != nil {
		write(*w.due)
		w.due = nil
	}
}

// flush writes what is held back of all workers.
func (f *folder) flush(write func(fsm.Record)) {
	for _, w := range f.workers {
		w.flush(write)
	}
}
