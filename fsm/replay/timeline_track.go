package replay

import (
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// track follows one worker through its records.
type track struct {
	w     WorkerTimeline
	facts fsm.Facts // after the last record

	// What is open, as indices; none is -1.
	job, ping, outage, pause int
}

const none = -1

func newTrack(worker string) *track {
	return &track{w: WorkerTimeline{Worker: worker}, job: none, ping: none, outage: none, pause: none}
}

// add takes one record.
func (k *track) add(r *fsm.Record) {
	at := r.Time.UTC().Round(0) // without the clock of the process
	first := len(k.w.States) == 0
	switch {
	case first:
		k.w.Begin = at
	case at.Before(k.w.End):
		at = k.w.End // the wall clock was set back: the order of the records holds
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

func (k *track) note(text string) {
	s := k.state()
	s.notes = append(s.notes, text)
}

// enter closes the state before, if it is another one.
func (k *track) enter(s fsm.State, at time.Time) {
	if len(k.w.States) > 0 {
		if k.state().State == s {
			return
		}
		k.state().To = at
	}
	k.w.States = append(k.w.States, StateSpan{Span: Span{at, at}, State: s})
}

// event takes what the record's event ends or marks.
func (k *track) event(r *fsm.Record, at time.Time) {
	switch r.Event.Kind { // what the rest does is in the effects and the facts
	case fsm.StreamLost, fsm.StreamRefused, fsm.TrustExpired, fsm.StreamEnded:
		m := StreamMark{Time: at, Kind: r.Event.Kind, Cause: r.Cause, Again: k.outage != none && r.Event.Kind != fsm.StreamEnded}
		k.w.Marks = append(k.w.Marks, m)
		k.note(because(markText(m), r.Cause))
	case fsm.JobFinished:
		k.endJob(r.Event.Job, Finished, r.Cause, at)
	case fsm.JobRejected:
		k.endJob(r.Event.Job, Rejected, r.Cause, at)
	case fsm.Started, fsm.DrainRequested, fsm.ForceRequested, fsm.SessionRefused, fsm.IdleExpired, fsm.UptimeExpired, fsm.ReceivedDisconnect:
		k.note(because(requestTexts[r.Event.Kind], r.Cause))
	default:
		if answer, ok := answers[r.Event.Kind]; ok && k.ping != none && k.w.Pings[k.ping].Epoch == r.Event.Epoch {
			k.endPing(answer, r.Cause, at)
		}
	}
}

func (k *track) effects(effects []fsm.Effect, at time.Time) {
	for _, e := range effects {
		switch e.Kind { //nolint:exhaustive // the rest shows in states
		case fsm.StartJob, fsm.AcquireJob:
			k.beginJob(e.Job, false, at)
			k.note("job " + string(e.Job) + " started")
		case fsm.CancelJob:
			k.note("job " + string(e.Job) + " cancelled")
		case fsm.SendPing:
			k.beginPing(e.Epoch, at)
		case fsm.CancelPing:
			k.endPing(PingCancelled, "", at)
		case fsm.Stop:
			k.w.Left = &Departure{at, e.Reason}
			k.note("left: " + e.Reason.String())
		}
	}
}

// reconcile takes from the facts what no record told: what was in hand when the
// log begins, or after a gap; and what has no event of its own.
func (k *track) reconcile(r *fsm.Record, at time.Time) {
	f := &r.Facts
	if k.job != none && k.w.Jobs[k.job].Job != f.Job {
		k.endJob(k.w.Jobs[k.job].Job, Unfinished, "", at)
	}
	if k.job == none && f.Job != "" {
		k.beginJob(f.Job, true, at)
		k.note("job " + string(f.Job) + " in hand")
	}
	if k.ping != none && (!f.Pinging || k.w.Pings[k.ping].Epoch != f.Ping) {
		k.endPing(Unanswered, "", at)
	}
	if k.ping == none && f.Pinging {
		k.beginPing(f.Ping, at)
	}
	if f.Stream == fsm.StreamUp && k.facts.Stream != fsm.StreamUp {
		k.note("stream up")
	}
	toggle(&k.w.Outages, &k.outage, f.Stream == fsm.StreamDown || f.Stream == fsm.StreamIsRefused, at)
	if f.Paused != (k.pause != none) {
		if f.Paused {
			k.note(because("paused", r.Cause))
		} else {
			k.note("resumed")
		}
	}
	toggle(&k.w.Pauses, &k.pause, f.Paused, at)
}

// toggle opens a span, or closes the open one.
func toggle(spans *[]Span, open *int, on bool, at time.Time) {
	switch {
	case on && *open == none:
		*open = len(*spans)
		*spans = append(*spans, Span{at, at})
	case !on && *open != none:
		(*spans)[*open].To = at
		*open = none
	}
}

func (k *track) beginJob(id fsm.JobID, before bool, at time.Time) {
	k.job = len(k.w.Jobs)
	k.w.Jobs = append(k.w.Jobs, JobSpan{Span: Span{at, at}, Job: id, Outcome: Unfinished, Before: before})
}

func (k *track) endJob(id fsm.JobID, outcome Outcome, cause string, at time.Time) {
	if k.job == none || k.w.Jobs[k.job].Job != id {
		return
	}
	j := &k.w.Jobs[k.job]
	j.To, j.Outcome, j.Cause = at, outcome, cause
	k.job = none
	k.note(because("job "+string(id)+" "+string(outcome), cause))
}

func (k *track) beginPing(epoch fsm.Epoch, at time.Time) {
	k.ping = len(k.w.Pings)
	k.w.Pings = append(k.w.Pings, PingSpan{Span: Span{at, at}, Epoch: epoch, Answer: Unanswered})
}

func (k *track) endPing(answer Answer, cause string, at time.Time) {
	if k.ping == none {
		return
	}
	p := &k.w.Pings[k.ping]
	p.To, p.Answer, p.Cause = at, answer, cause
	k.ping = none
	k.note(because("ping "+string(answer), cause))
}

// finish closes what is open at the end of the log.
func (k *track) finish() WorkerTimeline {
	end := k.w.End
	k.state().To = end
	if k.job != none {
		k.w.Jobs[k.job].To = end
	}
	if k.ping != none {
		k.w.Pings[k.ping].To = end
	}
	toggle(&k.w.Outages, &k.outage, false, end)
	toggle(&k.w.Pauses, &k.pause, false, end)
	k.w.summarize()
	return k.w
}

// requestTexts say in words what an event asks of the worker.
var requestTexts = map[fsm.EventKind]string{
	fsm.Started:            "started",
	fsm.DrainRequested:     "drain requested",
	fsm.ForceRequested:     "forced to leave",
	fsm.SessionRefused:     "session refused",
	fsm.IdleExpired:        "idle for too long",
	fsm.UptimeExpired:      "uptime reached",
	fsm.ReceivedDisconnect: "disconnect requested",
}

func markText(m StreamMark) string {
	text := map[fsm.EventKind]string{
		fsm.StreamLost:    "stream lost",
		fsm.StreamRefused: "stream refused",
		fsm.TrustExpired:  "stream silent, no first message in time",
		fsm.StreamEnded:   "stream ended as planned",
	}[m.Kind]
	if m.Again {
		text += " again"
	}
	return text
}

func because(what, cause string) string {
	if cause == "" {
		return what
	}
	return what + ": " + cause
}
