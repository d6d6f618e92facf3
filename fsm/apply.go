package fsm

// stale returns why the event is about something that is over, or "".
func (f *Facts) stale(ev Event) string {
	switch ev.Kind.Class() {
	case ClassMessage, ClassConnectionEnd:
		if ev.Epoch < f.Connection {
			return whyConnectionOver
		}
	case ClassTimer:
		switch {
		case ev.Kind != TrustExpired:
		case ev.Epoch < f.Connection:
			return whyConnectionOver
		case !f.Stream.Trusted():
			return "the stream is not trusted already"
		}
	case ClassAnswer:
		if !f.Pinging || ev.Epoch != f.Ping {
			return "the ping is over"
		}
	case ClassJobEnd:
		if f.Job == "" || ev.Job != f.Job {
			return "the job is over"
		}
	case ClassRequest:
	}
	return ""
}

const whyConnectionOver = "the connection is over"

// applyEvent returns the facts after the event, before the table is asked. It
// is the same in every state: a pause counts from the moment it arrives, and
// nothing revokes a disconnect. Only actions change Seen.
func (f *Facts) applyEvent(ev Event) Facts {
	g := *f
	switch ev.Kind.Class() {
	case ClassMessage:
		g.applyMessage(ev)
	case ClassConnectionEnd:
		g.applyConnectionEnd(ev)
	case ClassAnswer:
		g.applyAnswer(ev)
	case ClassJobEnd:
		g.applyJobEnd(ev)
	case ClassTimer:
		g.applyTimer(ev)
	case ClassRequest:
		g.applyRequest(ev)
	}
	return g
}

func (f *Facts) applyMessage(ev Event) {
	first := !f.Stream.Open() || ev.Epoch != f.Connection
	if first {
		f.Mailbox.clear()
	}
	f.Stream = StreamUp
	f.Connection = ev.Epoch
	if f.Pinging {
		f.PingIsOld = true
	}
	switch ev.Kind { //nolint:exhaustive // the caller passes messages only
	case ReceivedResume:
		f.Paused = false
	case ReceivedPause:
		f.pause()
	case ReceivedJob:
		// A connection begins with the current pause or resume. One that begins
		// with a job is not paused. A later job does not end a pause.
		if first {
			f.Paused = false
		}
	case ReceivedDisconnect:
		f.leave(Disconnected)
	}
}

func (f *Facts) applyConnectionEnd(ev Event) {
	f.Connection = ev.Epoch + 1
	f.Mailbox.clear()
	switch ev.Kind { //nolint:exhaustive // the caller passes ends of connections only
	case StreamEnded:
		if f.Stream.Trusted() {
			f.Stream = StreamUnknown
		} else {
			f.Stream = StreamDown // only a message restores trust
		}
	case StreamLost:
		f.Stream = StreamDown
	case StreamRefused:
		f.Stream = StreamIsRefused
	}
}

func (f *Facts) applyAnswer(ev Event) {
	f.Pinging = false
	switch ev.Kind { //nolint:exhaustive // a ping without an answer changes no other fact
	case AnsweredIdle, AnsweredJob:
		if !f.PingIsOld {
			f.Paused = false
		}
	case AnsweredPause:
		if !f.PingIsOld {
			f.pause()
		}
	case AnsweredDisconnect:
		f.leave(Disconnected)
	}
}

func (f *Facts) applyJobEnd(ev Event) {
	f.Job = ""
	switch {
	case ev.Kind == JobFinished:
		f.Mailbox.remove(ev.Job)
		if f.RetireAfterJob || f.Mode == Acquire {
			f.Retiring = JobDone
		}
	case f.Mode == Acquire:
		f.leave(AcquireWasRefused)
	}
}

func (f *Facts) applyTimer(ev Event) {
	switch ev.Kind { //nolint:exhaustive // the other timers change no fact
	case TrustExpired: // the connection stays open, and its epoch counts
		if f.Stream == StreamUp {
			f.Stream = StreamSilent
		} else {
			f.Stream = StreamDown
		}
	case UptimeExpired:
		if f.Paused {
			f.Retiring = UptimeReached
		} else {
			f.leave(UptimeReached)
		}
	}
}

func (f *Facts) applyRequest(ev Event) {
	switch ev.Kind { //nolint:exhaustive // a start changes no fact
	case DrainRequested, ForceRequested:
		f.leave(Drained)
	case SessionRefused:
		f.leave(SessionWasRefused)
	}
}

// pause makes the worker take no work. A paused worker is not idle.
func (f *Facts) pause() {
	f.Paused, f.IdleExpired = true, false
}

// leave makes the worker leave. The first reason counts: a worker that already
// had one, and stayed for a pause or for its last ping, has not failed.
func (f *Facts) leave(why LeaveReason) {
	switch {
	case f.Leaving != Staying:
	case why.Failed() && f.Retiring != Staying:
		f.Leaving = f.Retiring
	case why.Failed() && f.IdleExpired:
		f.Leaving = IdleTooLong
	default:
		f.Leaving = why
	}
}
