package verify

import "github.com/switchyard-ci/switchyard/fsm"

// observer is what can be known from the events and the effects of a worker,
// without the facts of its machine. Properties are checked against it, so that a machine with wrong
// facts does not pass by its own facts.
type observer struct {
	stream  fsm.StreamStatus // by the events that were delivered
	paused  bool             // by the newest message or answer
	leave   fsm.LeaveReason  // the first reason to leave
	retire  fsm.LeaveReason  // the last reason to leave when not paused
	idle    bool             // the idle timeout passed while a ping was in flight, and no pause and no job came since
	forced  bool             // the job in hand must be canceled
	old     bool             // the stream has sent a message since the ping in flight was sent
	started uint8            // one bit a job: started, and not rejected since
}

// observe records an event.
func (o *observer) observe(c fsm.Config, in input) {
	switch in.kind {
	case fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob:
		o.observeMessage(in.kind)
	case fsm.TrustExpired:
		if o.stream == fsm.StreamUp {
			o.stream = fsm.StreamSilent
		} else {
			o.stream = fsm.StreamDown
		}
	case fsm.StreamLost:
		o.stream = fsm.StreamDown
	case fsm.StreamEnded:
		if o.stream.Trusted() {
			o.stream = fsm.StreamUnknown
		} else {
			o.stream = fsm.StreamDown
		}
	case fsm.StreamRefused:
		o.stream = fsm.StreamIsRefused
	case fsm.AnsweredIdle, fsm.AnsweredJob:
		o.paused = o.paused && o.old
	case fsm.AnsweredPause:
		o.paused = o.paused || !o.old
	case fsm.AnsweredDisconnect:
		o.mustLeave(fsm.Disconnected)
	case fsm.PollRefused, fsm.PollFailed, fsm.PollDue, fsm.Started, fsm.IdleExpired:
		// Whether the worker is idle depends on its work: see apply.
	case fsm.JobFinished:
		if c.RetireAfterJob || c.Mode == fsm.Acquire {
			o.retire = fsm.JobDone
		}
	case fsm.JobRejected:
		o.started &^= 1 << in.job
		if c.Mode == fsm.Acquire {
			o.mustLeave(fsm.AcquireWasRefused)
		}
	case fsm.DrainRequested:
		o.mustLeave(fsm.Drained)
	case fsm.ForceRequested:
		o.mustLeave(fsm.Drained)
		o.forced = true
	case fsm.SessionRefused:
		o.mustLeave(fsm.SessionWasRefused)
	case fsm.UptimeExpired:
		if o.paused {
			o.retire = fsm.UptimeReached
		} else {
			o.mustLeave(fsm.UptimeReached)
		}
	}
}

func (o *observer) observeMessage(kind fsm.EventKind) {
	first := o.stream != fsm.StreamUp && o.stream != fsm.StreamSilent
	o.stream = fsm.StreamUp
	o.old = true  // without a ping in flight it has no meaning
	switch kind { //nolint:exhaustive // messages only
	case fsm.ReceivedResume:
		o.paused = false
	case fsm.ReceivedPause:
		o.paused = true
	case fsm.ReceivedJob:
		o.paused = o.paused && !first
	case fsm.ReceivedDisconnect:
		o.mustLeave(fsm.Disconnected)
	}
}

func (o *observer) mustLeave(why fsm.LeaveReason) {
	if o.leave == fsm.Staying {
		o.leave = o.reason(why)
	}
}

// reason returns why a worker leaves that must leave now: a worker that already
// had another reason, and stayed for a pause or a ping, has not failed.
func (o *observer) reason(why fsm.LeaveReason) fsm.LeaveReason {
	switch {
	case !why.Failed():
		return why
	case o.retire != fsm.Staying:
		return o.retire
	case o.idle:
		return fsm.IdleTooLong
	}
	return why
}
