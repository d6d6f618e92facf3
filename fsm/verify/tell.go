package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// tell tells the machine of a world what happened, carries its effects out, and
// returns which property does not hold on the way or in the end, or "".
func (m *machines) tell(w *world, h happening) string {
	before := *w
	w.observer.hear(m.config, h)
	a := m.step(w.machine, h)
	w.machine = a.next
	w.trust = w.trust && a.trust
	t := turn{config: m.config, told: h, before: &before, after: w, from: &m.situations[before.machine], to: &m.situations[a.next]}
	for _, e := range a.effects {
		if broken := t.perform(e); broken != "" {
			return broken
		}
	}
	if w.ping == pingNone {
		w.observer.old = false // of no meaning any more
	}
	switch {
	case a.broken != "":
		return a.broken
	case m.broken[a.next] != "":
		return m.broken[a.next]
	}
	if broken := t.invariant(); broken != "" {
		return broken
	}
	return t.step()
}

// turn is one step of the machine, with what was before and after it.
type turn struct {
	config   fsm.Config
	told     happening
	before   *world
	after    *world
	from, to *situation
	stopped  bool // the worker was told to leave
}

// perform carries one effect out, as the driver of a worker does, and returns
// what is wrong with it.
func (t *turn) perform(e fsm.Effect) string {
	w := t.after
	switch e.Kind {
	case fsm.OpenStream:
		if w.link != linkOff || t.config.Mode == fsm.PollOnly || t.config.Mode == fsm.Acquire {
			return "a stream is opened that should not be"
		}
		w.link = linkSilent
	case fsm.ArmTrust:
		w.trust = true
	case fsm.ArmPollNow, fsm.ArmPollLater:
		return t.armPoll(e.Kind)
	case fsm.DisarmPoll:
		w.poll = pollUnarmed
	case fsm.SendPing:
		return t.sendPing()
	case fsm.CancelPing:
		if t.to.state != fsm.Stopped {
			return "a ping is abandoned, and the worker stays"
		}
		w.ping = pingNone
	case fsm.StartJob, fsm.AcquireJob:
		return t.startJob(e)
	case fsm.StopAccepting:
		if w.observer.leave == fsm.Staying {
			return "an accept is given up, and the worker stays"
		}
		w.notAskMore = w.phase == phaseAsking
	case fsm.CancelJob:
		switch {
		case !w.observer.forced:
			return "a job is cancelled that nobody wanted cancelled"
		case w.phase == phaseNone || jobNumber(e.Job) != w.inHand:
			return "a job is cancelled that is not in hand"
		}
		w.cancelled = true
	case fsm.Stop:
		t.stopped = true
		return t.reason(e.Reason)
	}
	return ""
}

// armPoll knows when a ping is due at once: when there is news that a ping may
// bring. After an answer that is still true, none, or a job that may not be
// started, there is none, and to ping at once would be to ping without end.
func (t *turn) armPoll(kind fsm.EffectKind) string {
	due := pollNow
	switch t.told.kind { //nolint:exhaustive // the rest is news
	case fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredJob:
		if !t.before.observer.old {
			due = pollLater
		}
	case fsm.PollFailed, fsm.JobRejected:
		due = pollLater
	}
	t.after.poll = pollNow
	if kind == fsm.ArmPollLater {
		t.after.poll = pollLater
	}
	if t.after.poll != due {
		return fmt.Sprintf("%v after %v", kind, t.told.kind)
	}
	return ""
}

func (t *turn) sendPing() string {
	w := t.after
	switch {
	case w.ping != pingNone:
		return "a second ping is sent beside one in flight"
	case w.phase != phaseNone:
		return "a ping is sent beside a job"
	case t.config.Mode == fsm.StreamOnly || t.config.Mode == fsm.Acquire:
		return "a ping is sent in a mode without"
	case w.observer.stream == fsm.StreamUp:
		return "a ping is sent while the stream is up"
	case w.observer.leave != fsm.Staying:
		return "a ping is sent by a worker that leaves"
	}
	w.ping = pingSent
	return ""
}

func (t *turn) startJob(e fsm.Effect) string {
	w, job := t.after, jobNumber(e.Job)
	switch {
	case job == 0:
		return "a job without an id is started"
	case (e.Kind == fsm.AcquireJob) != (t.config.Mode == fsm.Acquire):
		return fmt.Sprintf("%v in mode %v", e.Kind, t.config.Mode)
	case w.phase != phaseNone:
		return "a second job is started beside one in hand"
	case w.ping != pingNone:
		return "a job is started beside a ping in flight"
	case w.observer.paused:
		return "a job is started while paused"
	case w.observer.leave != fsm.Staying:
		return "a job is started by a worker that leaves"
	case w.observer.retire != fsm.Staying:
		return "a job is started by a worker that is to leave, with no pause that holds it"
	case job != t.told.job && w.observer.stream != fsm.StreamUp:
		return "a job is started on the word of a connection that is over"
	case w.observer.started&(1<<job) != 0:
		return "a job is started twice"
	}
	w.phase, w.inHand = phaseAsking, job
	w.polled = t.told == happening{fsm.AnsweredJob, job} || e.Kind == fsm.AcquireJob
	w.observer.started |= 1 << job
	return ""
}
