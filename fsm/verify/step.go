package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// step is one step of the machine, with the world before and after it. Its
// checks return the property that does not hold, or "".
type step struct {
	config   fsm.Config
	input    input
	before   *world
	after    *world
	from, to *situation
	jobs     *jobRecords
	idle     bool            // the machine counts as idle after it
	stopped  bool            // the effect leave was performed
	reason   fsm.LeaveReason // of that effect
	expired  bool            // the ping is over during which the idle timeout passed
}

// apply steps the machine of a world with an input, performs the effects, and
// returns the property that does not hold in the step or after it, or "".
func (x *generator) apply(w *world, in input) string {
	m, before := x.situations, *w
	w.observer.observe(m.config, in)
	w.observer.idle = !w.observer.paused && (w.observer.idle || in.kind == fsm.IdleExpired && w.ping != pingNone)
	a := m.step(w.machine, in)
	w.machine = a.next
	// The driver arms the deadline again with each message.
	w.trust = (w.trust || in.kind.Class() == fsm.ClassMessage) && a.trust
	s := step{
		config: m.config, input: in, before: &before, after: w, from: &m.all[before.machine], to: &m.all[a.next],
		jobs: x.jobs, idle: m.idle[a.next],
	}
	for _, e := range a.effects {
		if broken := s.perform(e); broken != "" {
			return broken
		}
	}
	s.expired = w.observer.idle && w.ping == pingNone
	if w.ping == pingNone {
		w.observer.old, w.observer.idle = false, false // without a ping they have no meaning
	}
	switch {
	case a.broken != "":
		return a.broken
	case m.broken[a.next] != "":
		return m.broken[a.next]
	}
	for _, check := range []func() string{s.checkOwner, s.checkLeaving, s.checkDeadlines, s.checkOffers, s.checkChange} {
		if broken := check(); broken != "" {
			return broken
		}
	}
	return ""
}

// perform performs one effect, as the driver of a worker does.
func (s *step) perform(e fsm.Effect) string {
	w := s.after
	switch e.Kind {
	case fsm.OpenStream:
		if w.link != linkOff || s.config.Mode == fsm.PollOnly || s.config.Mode == fsm.Acquire {
			return "a stream is opened twice, or in a mode without a stream"
		}
		w.link = linkSilent
	case fsm.ArmTrust:
		w.trust = true
	case fsm.ArmPollNow, fsm.ArmPollLater:
		return s.armPoll(e.Kind)
	case fsm.DisarmPoll:
		w.poll = pollUnarmed
	case fsm.SendPing:
		return s.sendPing()
	case fsm.CancelPing:
		if s.to.state != fsm.Stopped {
			return "a ping is canceled although the worker stays"
		}
		w.ping = pingNone
	case fsm.StartJob, fsm.AcquireJob:
		return s.startJob(e)
	case fsm.StopAccepting:
		if w.observer.leave == fsm.Staying {
			return "an accept is given up although the worker stays"
		}
		w.noRetry = w.phase == phaseAsking
	case fsm.CancelJob:
		switch {
		case !w.observer.forced:
			return "a job is canceled without a request to force"
		case w.phase == phaseNone || jobNumber(e.Job) != w.inHand:
			return "a job is canceled that is not in hand"
		}
		w.canceled = true
	case fsm.Stop:
		s.stopped, s.reason = true, e.Reason
		return s.checkReason(e.Reason)
	}
	return ""
}

// armPoll checks whether the next ping is due at once: only when a ping may
// bring something new. After a current answer, a failed ping or a rejected job it
// would bring the same, and pinging at once would never end.
func (s *step) armPoll(kind fsm.EffectKind) string {
	due := pollNow
	switch s.input.kind { //nolint:exhaustive // after the rest, a ping may bring something new
	case fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredJob:
		if !s.before.observer.old {
			due = pollLater
		}
	case fsm.PollFailed, fsm.JobRejected:
		due = pollLater
	}
	s.after.poll = pollNow
	if kind == fsm.ArmPollLater {
		s.after.poll = pollLater
	}
	if s.after.poll != due {
		return fmt.Sprintf("%v after %v", kind, s.input.kind)
	}
	return ""
}

func (s *step) sendPing() string {
	w := s.after
	switch {
	case w.ping != pingNone:
		return "a second ping is sent while one is in flight"
	case w.phase != phaseNone:
		return "a ping is sent while a job is in hand"
	case s.config.Mode == fsm.StreamOnly:
		return "a ping is sent in a mode without polling"
	case s.config.Mode == fsm.Acquire && w.observer.retire == fsm.Staying:
		return "a ping is sent in mode acquire before the job is done"
	case w.observer.stream == fsm.StreamUp:
		return "a ping is sent while the stream is up"
	case w.observer.leave != fsm.Staying:
		return "a ping is sent by a worker that leaves"
	}
	w.ping = pingSent
	return ""
}

func (s *step) startJob(e fsm.Effect) string {
	w, job := s.after, jobNumber(e.Job)
	switch {
	case job == 0:
		return "a job without an ID is started"
	case (e.Kind == fsm.AcquireJob) != (s.config.Mode == fsm.Acquire):
		return fmt.Sprintf("%v in mode %v", e.Kind, s.config.Mode)
	case w.phase != phaseNone:
		return "a second job is started while one is in hand"
	case w.ping != pingNone:
		return "a job is started while a ping is in flight"
	case w.observer.paused:
		return "a job is started while paused"
	case w.observer.leave != fsm.Staying:
		return "a job is started by a worker that leaves"
	case w.observer.retire != fsm.Staying:
		return "a job is started by a worker that retires and is not paused"
	case job != s.input.job && w.observer.stream != fsm.StreamUp && w.observer.stream != fsm.StreamSilent:
		return "a job is started that a connection offered which is over"
	case w.observer.started&(1<<job) != 0:
		return "a job is started twice"
	}
	w.phase, w.inHand = phaseAsking, job
	w.polled = s.input == input{fsm.AnsweredJob, job} || e.Kind == fsm.AcquireJob
	w.observer.started |= 1 << job
	w.observer.idle = false
	return ""
}
