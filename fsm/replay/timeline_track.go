package replay

import (
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// track builds the timeline of one worker from its records.
type track struct {
	w     WorkerTimeline
	facts fsm.Facts // after the last record

	// The indices of what has begun and not ended, or none.
	job, ping, outage, pause int
}

const none = -1

// eventsOfPing is how many events a ping is: that it is due, and its answer.
const eventsOfPing = 2

// maxNoted bounds the notes of one folded record: a log can be wrong.
const maxNoted = 1000

func newTrack(worker string) *track {
	return &track{
		w: WorkerTimeline{
			Worker: worker, Jobs: []JobSpan{}, Pings: []PingSpan{}, Marks: []StreamMark{}, Outages: []Span{}, Pauses: []Span{},
		},
		job: none, ping: none, outage: none, pause: none,
	}
}

// add takes one record.
func (k *track) add(r *fsm.Record) {
	at := r.Time.UTC().Round(0) // without the monotonic clock of the process
	if r.Name != "" {
		k.w.Name = r.Name
	}
	first := len(k.w.States) == 0
	switch {
	case first:
		k.w.Begin = at
	case at.Before(k.w.End):
		at = k.w.End // the wall clock was set back: the order of the records counts
	}
	if r.Ignored != "" && !first {
		if k.state().State != fsm.Stopped {
			k.w.End = at
		}
		return
	}
	if first || r.To != fsm.Stopped || k.state().State != fsm.Stopped {
		k.w.End = at
	}
	k.enter(r.To, at)
	if r.Ignored == "" {
		k.event(r, at)
		k.effects(r.Effects, at)
	}
	k.reconcile(r, at)
	k.facts = r.Facts
	k.state().job = k.state().job || r.Facts.Job != ""
}

func (k *track) state() *StateSpan { return &k.w.States[len(k.w.States)-1] }

// note adds what happened to the current state, with its cause if there is one.
func (k *track) note(what, cause string) {
	s := k.state()
	s.notes = append(s.notes, because(what, cause))
}

// enter begins a state, if it is not the current one.
func (k *track) enter(s fsm.State, at time.Time) {
	if len(k.w.States) > 0 {
		if k.state().State == s {
			return
		}
		k.state().end(at)
	}
	k.w.States = append(k.w.States, StateSpan{Span: Span{From: at, To: at}, State: s})
}

// event takes what the record's event ends or marks. Everything else is in the
// effects and the facts.
func (k *track) event(r *fsm.Record, at time.Time) {
	kind := r.Event.Kind
	class := kind.Class()
	switch {
	case class == fsm.ClassConnectionEnd || kind == fsm.TrustExpired:
		m := StreamMark{Time: at, Kind: kind, Cause: r.Cause, Again: k.outage != none && kind != fsm.StreamEnded}
		k.w.Marks = append(k.w.Marks, m)
		k.note(m.text(), r.Cause)
	case class == fsm.ClassJobEnd:
		k.endJob(r.Event.Job, Outcome(kind.Brief()), r.Cause, at)
	case class == fsm.ClassAnswer && r.Folded > 0:
		p := PingSpan{Epoch: r.Event.Epoch, Answer: Answer(kind.Brief()), Cause: r.Cause, Count: r.Folded / eventsOfPing, kind: kind}
		p.From = r.Since.UTC().Round(0)
		p.end(at)
		k.w.Pings = append(k.w.Pings, p)
		for range min(p.Count, maxNoted) {
			k.note("ping "+string(p.Answer), r.Cause)
		}
	case class == fsm.ClassAnswer:
		if k.ping != none && k.w.Pings[k.ping].Epoch == r.Event.Epoch {
			k.w.Pings[k.ping].kind = kind
			k.endPing(Answer(kind.Brief()), r.Cause, at)
		}
	case r.Cause != "" && (kind == fsm.PollDue || class == fsm.ClassMessage && kind != fsm.ReceivedPause):
		k.note(kind.Brief(), r.Cause) // what delayed it; a pause is noted with its facts
	case kind != fsm.PollDue && (class != fsm.ClassMessage || kind == fsm.ReceivedDisconnect):
		k.note(kind.Brief(), r.Cause)
	}
}

func (k *track) effects(effects []fsm.Effect, at time.Time) {
	for _, e := range effects {
		switch e.Kind { //nolint:exhaustive // the rest shows in states
		case fsm.StartJob, fsm.AcquireJob:
			k.beginJob(e.Job, false, at)
			k.note("job "+string(e.Job)+" started", "")
		case fsm.CancelJob:
			k.note("job "+string(e.Job)+" canceled", "")
		case fsm.SendPing:
			k.beginPing(e.Epoch, at)
		case fsm.CancelPing:
			k.endPing(PingCanceled, "", at)
		case fsm.Stop:
			k.w.Left = &Departure{at, e.Reason, e.Reason.Failed()}
			k.note("left: "+e.Reason.String(), "")
		}
	}
}

// reconcile takes from the facts what is in no event: what was in hand when the
// log begins or after a gap, and the changes without an event of their own.
func (k *track) reconcile(r *fsm.Record, at time.Time) {
	f := &r.Facts
	if k.job != none && k.w.Jobs[k.job].Job != f.Job {
		k.endJob(k.w.Jobs[k.job].Job, Unfinished, "", at)
	}
	if k.job == none && f.Job != "" {
		k.beginJob(f.Job, true, at)
		k.note("job "+string(f.Job)+" in hand", "")
	}
	if k.ping != none && (!f.Pinging || k.w.Pings[k.ping].Epoch != f.Ping) {
		k.endPing(Unanswered, "", at)
	}
	if k.ping == none && f.Pinging {
		k.beginPing(f.Ping, at)
	}
	if f.Stream == fsm.StreamUp && k.facts.Stream != fsm.StreamUp {
		k.note("stream up", "")
	}
	toggle(&k.w.Outages, &k.outage, !f.Stream.Trusted(), at)
	switch {
	case f.Paused && k.pause == none:
		k.note("paused", r.Cause)
	case !f.Paused && k.pause != none:
		k.note("resumed", "")
	}
	toggle(&k.w.Pauses, &k.pause, f.Paused, at)
}

// toggle begins a span, or ends the one that has begun.
func toggle(spans *[]Span, open *int, on bool, at time.Time) {
	switch {
	case on && *open == none:
		*open = len(*spans)
		*spans = append(*spans, Span{From: at, To: at})
	case !on && *open != none:
		(*spans)[*open].end(at)
		*open = none
	}
}

func (k *track) beginJob(id fsm.JobID, before bool, at time.Time) {
	k.job = len(k.w.Jobs)
	k.w.Jobs = append(k.w.Jobs, JobSpan{Span: Span{From: at, To: at}, Job: id, Outcome: Unfinished, Before: before})
}

func (k *track) endJob(id fsm.JobID, outcome Outcome, cause string, at time.Time) {
	if k.job == none || k.w.Jobs[k.job].Job != id {
		return
	}
	j := &k.w.Jobs[k.job]
	j.end(at)
	j.Outcome, j.Cause = outcome, cause
	k.job = none
	k.note("job "+string(id)+" "+string(outcome), cause)
}

func (k *track) beginPing(epoch fsm.Epoch, at time.Time) {
	k.ping = len(k.w.Pings)
	k.w.Pings = append(k.w.Pings, PingSpan{Span: Span{From: at, To: at}, Epoch: epoch, Answer: Unanswered})
}

func (k *track) endPing(answer Answer, cause string, at time.Time) {
	if k.ping == none {
		return
	}
	p := &k.w.Pings[k.ping]
	p.end(at)
	p.Answer, p.Cause = answer, cause
	k.ping = none
	k.note("ping "+string(answer), cause)
}

// finish ends at the last record what has not ended.
func (k *track) finish() WorkerTimeline {
	end := k.w.End
	k.state().end(end)
	if k.job != none {
		k.w.Jobs[k.job].end(end)
	}
	if k.ping != none {
		k.w.Pings[k.ping].end(end)
	}
	toggle(&k.w.Outages, &k.outage, false, end)
	toggle(&k.w.Pauses, &k.pause, false, end)
	k.w.Summary = summarize(&k.w)
	return k.w
}

func because(what, cause string) string {
	if cause == "" {
		return what
	}
	return what + ": " + cause
}
