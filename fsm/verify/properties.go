package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// invariant returns what is wrong with the world after a step of the machine,
// or "".
func (t *turn) invariant() string {
	for _, check := range []func() string{t.owner, t.leaving, t.deadline, t.remembered} {
		if broken := check(); broken != "" {
			return broken
		}
	}
	return ""
}

// owner: one owner, with the work in hand that its state says, and none against
// the stream's will.
func (t *turn) owner() string {
	w, o := t.after, &t.after.observer
	job, ping := w.phase != phaseNone, w.ping != pingNone
	up := o.stream == fsm.StreamUp
	switch t.to.state {
	case fsm.StreamHealthy:
		switch {
		case job || ping:
			return "StreamHealthy with work in hand"
		case !o.trusted():
			return "StreamHealthy while the stream is not trusted"
		case t.config.Mode == fsm.PollOnly || t.config.Mode == fsm.Acquire:
			return "the stream is in control in a mode without"
		}
	case fsm.Running:
		switch {
		case w.polled:
			return "Running with a job that the stream did not bring"
		case !job:
			return "Running without a job"
		case ping:
			return "Running with a ping in flight"
		}
	case fsm.FallingBack:
		switch {
		case job || ping:
			return "FallingBack with work in hand"
		case up:
			return "FallingBack while the stream is up"
		}
	case fsm.PollingBusy, fsm.Reclaiming:
		switch {
		case !job && !ping:
			return "the poller is busy with nothing"
		case job && ping:
			return "a job and a ping in hand at once"
		case job && !w.polled:
			return "the poller is in control of a job that the stream brought"
		case up != (t.to.state == fsm.Reclaiming):
			return "PollingBusy while the stream is up, or Reclaiming while it is not"
		}
	case fsm.Stopped:
		switch {
		case job:
			return "the worker leaves a job behind"
		case ping:
			return "the worker leaves a ping behind"
		}
	case fsm.Initial:
		return "the machine is not started after its start"
	}
	if t.to.job != w.inHand {
		return "the machine believes in a job that is not the one in hand"
	}
	return ""
}

// leaving: a worker leaves at once when nothing keeps it, and tries for no more
// work before.
func (t *turn) leaving() string {
	w, o := t.after, &t.after.observer
	if t.stopped != (t.to.state == fsm.Stopped) {
		return "to be Stopped and to be told to leave are not the same"
	}
	if t.to.state == fsm.Stopped {
		return ""
	}
	idle := w.phase == phaseNone
	switch {
	case o.leave != fsm.Staying && idle:
		return "a worker that is to leave stays without work"
	case o.leave != fsm.Staying && w.phase == phaseAsking && !w.notAskMore && !w.cancelled:
		return "a worker that is to leave goes on asking for a job"
	case o.forced && w.phase != phaseNone && !w.cancelled:
		return "a job goes on, without a kill deadline, although it is to be cancelled"
	case idle && o.stream == fsm.StreamIsRefused && t.config.Mode == fsm.StreamOnly:
		return "a worker waits for a stream that is refused, and may not poll"
	case free(w) && (t.to.state == fsm.StreamHealthy || t.config.Mode == fsm.StreamOnly):
		return "a worker with its one job done waits for a message"
	}
	return ""
}

// free tells whether nothing keeps a worker that is to leave when it can.
func free(w *world) bool {
	return w.phase == phaseNone && w.observer.retire != fsm.Staying && !w.observer.paused
}

// deadline: no state waits for the outside without an event that comes if it
// does not. A ping in flight and an accept bring theirs with them; a stream that
// is up is watched by its liveness rules.
func (t *turn) deadline() string {
	w := t.after
	polls := t.config.Mode == fsm.Auto || t.config.Mode == fsm.PollOnly
	switch {
	case t.to.state == fsm.StreamHealthy && w.observer.stream != fsm.StreamUp && !w.trust:
		return "a first message is awaited without a deadline"
	case t.to.state == fsm.FallingBack && polls && w.poll == pollUnarmed:
		return "the next ping is never due"
	case t.to.state != fsm.FallingBack && t.to.state != fsm.Stopped && w.poll != pollUnarmed:
		return "a ping is due while the stream is in control or work is in hand"
	}
	return ""
}

// remembered: a job that the control plane has put on offer on the stream that
// it serves is in hand, in the mailbox, or on its way. It will not be told
// again.
func (t *turn) remembered() string {
	w := t.after
	if w.link != linkServed || t.to.state == fsm.Stopped {
		return ""
	}
	for job := uint8(1); job <= maxJobs; job++ {
		if w.jobs[job].onOffer() && w.inHand != job && !t.to.holds(job) && !w.comes(job) {
			return "an offer is forgotten that the control plane will not repeat"
		}
	}
	return ""
}

// comes tells whether the name of a job is on its way to the worker.
func (w *world) comes(job uint8) bool {
	return slices.Contains(w.channel[:w.queued], messageJob+job-1) || w.ping == pingSent || w.ping == pingJob+pingState(job-1)
}

// step returns what is wrong with a step as such, or "".
func (t *turn) step() string {
	o := &t.after.observer
	stays := o.leave == fsm.Staying && o.retire == fsm.Staying
	streams := func(s fsm.State) bool { return s == fsm.StreamHealthy || s == fsm.Running }
	switch {
	case streams(t.from.state) && t.to.state == fsm.FallingBack && o.trusted():
		return "a stream loses control that nothing speaks against"
	case t.told.kind == fsm.AnsweredJob && stays && !o.paused && o.started&(1<<t.told.job) == 0:
		return "a ping brings a job that may be started, and is not"
	case free(t.after) && t.to.state == fsm.FallingBack && t.after.poll != pollNow && t.from.state != fsm.FallingBack:
		return "a worker with its one job done does not send its last ping at once"
	case t.told.kind == fsm.IdleExpired && t.to.state == fsm.Stopped && o.paused:
		return "a pause is taken for idleness"
	case t.told.kind == fsm.IdleExpired && t.to.state != fsm.Stopped && !o.paused &&
		(t.from.state == fsm.StreamHealthy || t.from.state == fsm.FallingBack):
		return "a worker stays that was idle for too long"
	case t.from.state == fsm.Stopped && t.to.state != fsm.Stopped:
		return "a worker returns that has left"
	}
	return ""
}

// reason returns what is wrong with leaving for a reason, or "".
func (t *turn) reason(why fsm.LeaveReason) string {
	o := &t.after.observer
	var due fsm.LeaveReason
	switch {
	case o.leave != fsm.Staying:
		due = o.leave
	case t.told.kind == fsm.PollRefused:
		due = fsm.PingWasRefused
	case t.told.kind == fsm.IdleExpired && !o.paused:
		due = fsm.IdleTooLong
	case o.retire != fsm.Staying && !o.paused:
		due = o.retire
	case o.stream == fsm.StreamIsRefused && t.config.Mode == fsm.StreamOnly:
		due = fsm.StreamWasRefused
	}
	switch {
	case due == fsm.Staying:
		return "the worker leaves without a reason"
	case due != why:
		return "the worker leaves for the wrong reason: " + why.String()
	}
	return ""
}
