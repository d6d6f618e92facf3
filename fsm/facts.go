package fsm

// Mode says by which ways a worker may get work.
type Mode uint8

// The modes.
const (
	// Auto: by the stream, and by polling while the stream is not well.
	Auto Mode = iota
	// StreamOnly: by the stream alone.
	StreamOnly
	// PollOnly: by polling alone.
	PollOnly
	// Acquire: one named job, asked for by id, and nothing else.
	Acquire
)

const modeCount = int(Acquire) + 1

var modeNames = [modeCount]string{
	Auto: "auto", StreamOnly: "stream-only", PollOnly: "poll-only", Acquire: "acquire",
}

// String returns the mode's name, such as stream-only.
func (m Mode) String() string {
	if int(m) < modeCount {
		return modeNames[m]
	}
	return "Mode(?)"
}

// ParseMode returns the mode with that name, and whether there is one.
func ParseMode(name string) (Mode, bool) {
	for i, n := range modeNames {
		if n == name {
			return Mode(i), true
		}
	}
	return Auto, false
}

// StreamStatus says what is known of the stream.
type StreamStatus uint8

// The statuses. The first two are trusted.
const (
	// StreamUnknown: no message has come of the connection that is being made,
	// and nothing speaks against it.
	StreamUnknown StreamStatus = iota
	// StreamUp: the connection has spoken.
	StreamUp
	// StreamDown: the last connection was lost, or has not spoken in time. Only
	// a message changes that; connecting does not.
	StreamDown
	// StreamIsRefused: the control plane turned the stream down.
	StreamIsRefused
)

const streamStatusCount = int(StreamIsRefused) + 1

var streamStatusNames = [streamStatusCount]string{
	StreamUnknown: "unknown", StreamUp: "up", StreamDown: "down", StreamIsRefused: "refused",
}

// String returns the status in a word, such as up.
func (s StreamStatus) String() string {
	if int(s) < streamStatusCount {
		return streamStatusNames[s]
	}
	return "StreamStatus(?)"
}

// Facts is what a machine knows besides its state: all that guards read. It is
// a value: a copy is independent.
type Facts struct {
	// Mode never changes.
	Mode Mode
	// RetireAfterJob: the worker is to leave after one job. It never changes.
	RetireAfterJob bool

	// Stream is what is known of the stream.
	Stream StreamStatus
	// Connection is the oldest epoch of a connection that still counts; news of
	// an older one is stale.
	Connection Epoch

	// Paused: the worker takes no work until it is resumed.
	Paused bool
	// Leaving is why the worker leaves as soon as no job is in hand. Once set
	// it stays.
	Leaving LeaveReason
	// Retiring is why the worker leaves as soon as, besides, no pause holds.
	Retiring LeaveReason

	// Job is the job in hand. It and Pinging exclude each other.
	Job JobID
	// Ping is the epoch of the last ping sent.
	Ping Epoch
	// Pinging: that ping is in flight.
	Pinging bool
	// PingIsOld: the stream has spoken since that ping was sent, so that what
	// the stream said is newer than the answer.
	PingIsOld bool

	// Mailbox holds the jobs to start later. It is empty unless the stream is
	// up: what a connection said about jobs dies with it.
	Mailbox Mailbox
	// Seen holds the jobs that were started and not rejected.
	Seen Seen
}

// Idle tells whether a worker in state s with these facts waits for work that
// it would take.
func (f *Facts) Idle(s State) bool {
	return (s == StreamHealthy || s == FallingBack) && !f.Paused
}

// stale returns why the event is news of something that is over, or "".
func (f *Facts) stale(ev Event) string {
	switch {
	case ev.ofConnection() && ev.Epoch < f.Connection:
		return "the connection is over"
	case ev.Kind == TrustExpired && f.Stream != StreamUnknown:
		return "the first message came, or the connection was lost"
	case ev.ofPing() && (!f.Pinging || ev.Epoch != f.Ping):
		return "the ping is over"
	case ev.ofJob() && (f.Job == "" || ev.Job != f.Job):
		return "the job is over"
	default:
		return ""
	}
}

// heard returns the facts once the event is known, whatever is done about it
// then. It is the same in every state: a pause holds from the moment it is
// heard, and a disconnect is never unsaid. Seen is left as it is.
func (f *Facts) heard(ev Event) Facts {
	g := *f
	switch {
	case ev.isMessage():
		g.hearMessage(ev)
	case ev.ofConnection():
		g.hearStream(ev)
	case ev.ofPing():
		g.hearPing(ev)
	case ev.ofJob():
		g.hearJob(ev)
	default:
		g.hearRequest(ev)
	}
	return g
}

func (f *Facts) hearMessage(ev Event) {
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
		// A connection begins with the standing pause or resume; one that begins
		// with a job leaves no pause standing. A later job waits out a pause.
		if first {
			f.Paused = false
		}
	case ReceivedDisconnect:
		f.leave(Disconnected)
	}
}

func (f *Facts) hearStream(ev Event) {
	if ev.Kind == TrustExpired {
		f.Stream = StreamDown // the connection may still speak: its epoch stays
		return
	}
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

func (f *Facts) hearPing(ev Event) {
	f.Pinging = false
	switch ev.Kind { //nolint:exhaustive // no news is not news: a failed ping changes no other fact
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

func (f *Facts) hearJob(ev Event) {
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

func (f *Facts) hearRequest(ev Event) {
	switch ev.Kind { //nolint:exhaustive // the rest changes no fact
	case DrainRequested, ForceRequested:
		f.leave(Drained)
	case SessionRefused:
		f.leave(SessionWasRefused)
	case UptimeExpired:
		if f.Paused {
			f.Retiring = UptimeReached
		} else {
			f.leave(UptimeReached)
		}
	}
}

// leave makes the worker leave, for the first reason that was given.
func (f *Facts) leave(why LeaveReason) {
	if f.Leaving == Staying {
		f.Leaving = why
	}
}
