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
		case f.Stream != StreamUnknown:
			return "the first message has arrived, or the connection was lost"
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
	first := f.Stream != StreamUp || ev.Epoch != f.Connection
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
		f.Paused = true
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
		f.Stream = StreamUnknown
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
			f.Paused = true
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
		if f.RetireAfterJob {
			f.Retiring = JobDone
		}
		if f.Mode == Acquire {
			f.leave(JobDone)
		}
	case f.Mode == Acquire:
		f.leave(AcquireWasRefused)
	}
}

func (f *Facts) applyTimer(ev Event) {
	switch ev.Kind { //nolint:exhaustive // the other timers change no fact
	case TrustExpired:
		f.Stream = StreamDown // the connection stays open, and its epoch counts
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

// leave makes the worker leave. The first reason counts.
func (f *Facts) leave(why LeaveReason) {
	if f.Leaving == Staying {
		f.Leaving = why
	}
}
