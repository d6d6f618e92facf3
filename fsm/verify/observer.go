package verify

import "github.com/switchyard-ci/switchyard/fsm"

// observer is what an onlooker knows who hears what the worker is told, and
// sees what the worker does, but not what it thinks. The properties are judged
// by it, so that a machine which misremembers does not judge itself.
type observer struct {
	stream  fsm.StreamStatus // by the news of it that was delivered
	paused  bool             // by the newest word about it
	leave   fsm.LeaveReason  // the first reason that came
	retire  fsm.LeaveReason  // the last reason to leave as soon as no pause holds
	forced  bool             // the job in hand is to be cancelled
	old     bool             // the stream has spoken since the ping in flight was sent
	started uint8            // one bit a job: started, and not rejected since
}

// trusted tells whether nothing speaks against the stream.
func (o *observer) trusted() bool {
	return o.stream == fsm.StreamUnknown || o.stream == fsm.StreamUp
}

// hear takes note of something that the worker is told.
func (o *observer) hear(c fsm.Config, h happening) {
	switch h.kind {
	case fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob:
		o.hearMessage(h.kind)
	case fsm.TrustExpired, fsm.StreamLost:
		o.stream = fsm.StreamDown
	case fsm.StreamEnded:
		o.stream = fsm.StreamUnknown
	case fsm.StreamRefused:
		o.stream = fsm.StreamIsRefused
	case fsm.AnsweredIdle, fsm.AnsweredJob:
		o.paused = o.paused && o.old
	case fsm.AnsweredPause:
		o.paused = o.paused || !o.old
	case fsm.AnsweredDisconnect:
		o.toLeave(fsm.Disconnected)
	case fsm.PollRefused, fsm.PollFailed, fsm.PollDue, fsm.Started, fsm.IdleExpired:
	case fsm.JobFinished:
		if c.RetireAfterJob {
			o.retire = fsm.JobDone
		}
		if c.Mode == fsm.Acquire {
			o.toLeave(fsm.JobDone)
		}
	case fsm.JobRejected:
		o.started &^= 1 << h.job
		if c.Mode == fsm.Acquire {
			o.toLeave(fsm.AcquireWasRefused)
		}
	case fsm.DrainRequested:
		o.toLeave(fsm.Drained)
	case fsm.ForceRequested:
		o.toLeave(fsm.Drained)
		o.forced = true
	case fsm.SessionRefused:
		o.toLeave(fsm.SessionWasRefused)
	case fsm.UptimeExpired:
		if o.paused {
			o.retire = fsm.UptimeReached
		} else {
			o.toLeave(fsm.UptimeReached)
		}
	}
}

func (o *observer) hearMessage(kind fsm.EventKind) {
	first := o.stream != fsm.StreamUp
	o.stream = fsm.StreamUp
	o.old = true  // of no meaning while no ping is in flight
	switch kind { //nolint:exhaustive // messages only
	case fsm.ReceivedResume:
		o.paused = false
	case fsm.ReceivedPause:
		o.paused = true
	case fsm.ReceivedJob:
		o.paused = o.paused && !first
	case fsm.ReceivedDisconnect:
		o.toLeave(fsm.Disconnected)
	}
}

func (o *observer) toLeave(why fsm.LeaveReason) {
	if o.leave == fsm.Staying {
		o.leave = why
	}
}
