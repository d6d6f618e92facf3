package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// checkOwner checks that the worker has one owner, with the work in hand that
// its state names, and that the stream is not in control unless it is trusted.
func (s *step) checkOwner() string {
	w, o := s.after, &s.after.observer
	job, ping := w.phase != phaseNone, w.ping != pingNone
	up := o.stream == fsm.StreamUp
	switch s.to.state {
	case fsm.StreamHealthy:
		switch {
		case job || ping:
			return "StreamHealthy with work in hand"
		case !o.stream.Trusted():
			return "StreamHealthy while the stream is not trusted"
		case s.config.Mode == fsm.PollOnly || s.config.Mode == fsm.Acquire:
			return "the stream is in control in a mode without a stream"
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
			return "the poller is busy without work"
		case job && ping:
			return "a job and a ping in hand at once"
		case job && !w.polled:
			return "the poller is in control of a job that the stream brought"
		case up != (s.to.state == fsm.Reclaiming):
			return "PollingBusy while the stream is up, or Reclaiming while it is not"
		}
	case fsm.Stopped:
		switch {
		case job:
			return "the worker stops with a job in hand"
		case ping:
			return "the worker stops with a ping in flight"
		}
	case fsm.Initial:
		return "the machine has not started after its start"
	}
	if s.to.job != w.inHand {
		return "the machine's job is not the one in hand"
	}
	return ""
}

// checkLeaving checks that a worker leaves as soon as nothing keeps it, and asks
// for no more work before.
func (s *step) checkLeaving() string {
	w, o := s.after, &s.after.observer
	if s.stopped != (s.to.state == fsm.Stopped) {
		return "Stopped without the effect leave, or the reverse"
	}
	if s.to.state == fsm.Stopped {
		return ""
	}
	idle := w.phase == phaseNone
	switch {
	case o.leave != fsm.Staying && idle:
		return "a worker that must leave stays without work"
	case o.leave != fsm.Staying && w.phase == phaseAsking && !w.noRetry && !w.canceled:
		return "a worker that must leave keeps retrying an accept"
	case o.forced && w.phase != phaseNone && !w.canceled:
		return "a job continues without a kill deadline after a request to force"
	case idle && o.stream == fsm.StreamIsRefused && s.config.Mode == fsm.StreamOnly:
		return "a worker waits for a stream that is refused, and may not poll"
	case w.mayRetire() && (s.to.state == fsm.StreamHealthy || s.config.Mode == fsm.StreamOnly):
		return "a worker whose one job is done waits for a message"
	}
	return ""
}

// mayRetire reports whether nothing keeps a worker that retires.
func (w *world) mayRetire() bool {
	return w.phase == phaseNone && w.observer.retire != fsm.Staying && !w.observer.paused
}

// checkDeadlines checks that every wait has a deadline. A ping in flight and an
// accept have their own.
func (s *step) checkDeadlines() string {
	w := s.after
	polls := s.config.Mode != fsm.StreamOnly
	switch {
	case s.to.state == fsm.StreamHealthy && !w.trust:
		return "a message is awaited without a deadline"
	case s.to.state == fsm.FallingBack && polls && w.poll == pollUnarmed:
		return "the next ping is never due"
	case s.to.state != fsm.FallingBack && s.to.state != fsm.Stopped && w.poll != pollUnarmed:
		return "a ping is due while the stream is in control or work is in hand"
	}
	return ""
}

// checkOffers checks that a job that is assigned to the worker, which has a stream, is
// in hand, in the mailbox, or in flight: the offer is not repeated on that stream.
func (s *step) checkOffers() string {
	w := s.after
	if w.link != linkServed || s.to.state == fsm.Stopped {
		return ""
	}
	for job := uint8(1); job <= maxJobs; job++ {
		f := &s.jobs.facts[w.jobs[job]]
		if f.worker == thisWorker && f.state == wire.StateAssigned && !w.offered(job, s.to) {
			return "an offer is lost that the control plane will not repeat"
		}
	}
	return ""
}

// inFlight reports whether an offer of the job is in flight to the worker.
func (w *world) inFlight(job uint8) bool {
	return slices.Contains(w.channel[:w.queued], messageJob+job-1) || w.ping == pingSent || w.ping == pingJob+pingState(job-1)
}

// checkChange checks the step as a whole.
func (s *step) checkChange() string {
	o := &s.after.observer
	stays := o.leave == fsm.Staying && o.retire == fsm.Staying
	mayLeaveIdle := !o.paused && s.after.phase == phaseNone && s.after.ping == pingNone
	switch {
	case s.from.state.Owner() == fsm.OwnerStream && s.to.state == fsm.FallingBack && o.stream.Trusted():
		return "a trusted stream loses control"
	case s.input.kind == fsm.AnsweredJob && stays && !o.paused && o.started&(1<<s.input.job) == 0:
		return "a ping brings a job that may be started, and is not"
	case s.after.mayRetire() && s.to.state == fsm.FallingBack && s.after.poll != pollNow && s.from.state != fsm.FallingBack:
		return "a worker whose one job is done does not send its last ping at once"
	case s.input.kind == fsm.IdleExpired && s.to.state == fsm.Stopped && o.paused:
		return "a paused worker leaves as idle"
	case s.input.kind == fsm.IdleExpired && s.to.state != fsm.Stopped && mayLeaveIdle:
		return "an idle worker stays after its idle timeout"
	case s.input.kind == fsm.IdleExpired && s.to.state == fsm.Stopped && s.before.ping != pingNone:
		return "an idle worker does not wait for the answer to its ping"
	case s.expired && s.to.state != fsm.Stopped:
		return "an idle worker stays after the answer that its idle timeout waited for"
	case s.input.kind.Class() == fsm.ClassAnswer && s.reason == fsm.IdleTooLong && o.stream == fsm.StreamUp && s.from.waiting > 0:
		return "a worker leaves as idle although the stream has offered a job"
	case s.to.state != fsm.Stopped && s.idle != (s.after.phase == phaseNone && !o.paused):
		return "the machine counts as idle with a job in hand or paused, or does not without"
	case s.to.state == fsm.StreamHealthy && !o.paused && s.to.waiting > 0:
		return "a job waits in the mailbox although it could start"
	case s.from.state == fsm.Stopped && s.to.state != fsm.Stopped:
		return "a stopped worker starts again"
	}
	return ""
}

// checkReason checks the reason for leaving.
func (s *step) checkReason(why fsm.LeaveReason) string {
	o := &s.after.observer
	var due fsm.LeaveReason
	switch {
	case o.leave != fsm.Staying:
		due = o.leave
	case s.input.kind == fsm.PollRefused:
		due = o.reason(fsm.PingWasRefused)
	case s.input.kind == fsm.IdleExpired && !o.paused:
		due = fsm.IdleTooLong
	case o.retire != fsm.Staying && !o.paused:
		due = o.retire
	case o.idle:
		due = fsm.IdleTooLong
	case o.stream == fsm.StreamIsRefused && s.config.Mode == fsm.StreamOnly:
		due = o.reason(fsm.StreamWasRefused)
	}
	switch {
	case due == fsm.Staying:
		return "the worker leaves without a reason"
	case due != why:
		return "the worker leaves for the wrong reason: " + why.String()
	}
	return ""
}
