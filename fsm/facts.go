package fsm

// Mode is the ways by which a worker gets work.
type Mode uint8

// The modes.
const (
	// Auto: by the stream, and by polling while the stream is not healthy.
	Auto Mode = iota
	// StreamOnly: by the stream alone.
	StreamOnly
	// PollOnly: by polling alone.
	PollOnly
	// Acquire: one named job, requested by its ID, and nothing else. After it the
	// worker polls, to learn whether it is paused.
	Acquire

	modeCount = iota // stays last
)

var modeNames = [modeCount]string{
	Auto: "auto", StreamOnly: "stream-only", PollOnly: "poll-only", Acquire: "acquire",
}

// String returns the mode's name, such as stream-only.
func (m Mode) String() string { return nameOf(m, modeNames[:]) }

// Modes returns every mode.
func Modes() []Mode { return valuesOf[Mode](modeCount) }

// ParseMode returns the mode with that name, and reports whether there is one.
func ParseMode(name string) (Mode, bool) { return parse[Mode](modeCount, name) }

// StreamStatus is what is known about the stream.
type StreamStatus uint8

// The statuses. The first two are trusted.
const (
	// StreamUnknown: the current connection, or attempt to connect, has sent no
	// message, and nothing has gone wrong.
	StreamUnknown StreamStatus = iota
	// StreamUp: the current connection has sent a message.
	StreamUp
	// StreamDown: the last connection was lost, or its first message is late.
	// Only a message changes that; a new connection does not.
	StreamDown
	// StreamSilent: the current connection has sent a message, but its next one is
	// late. The connection is open, and its next message counts.
	StreamSilent
	// StreamIsRefused: the control plane refused the stream.
	StreamIsRefused

	streamStatusCount = iota // stays last
)

var streamStatusNames = [streamStatusCount]string{
	StreamUnknown: "unknown", StreamUp: "up", StreamDown: "down", StreamSilent: "silent", StreamIsRefused: "refused",
}

// String returns the status in a word, such as up.
func (s StreamStatus) String() string { return nameOf(s, streamStatusNames[:]) }

// Open reports whether the current connection has sent a message.
func (s StreamStatus) Open() bool { return s == StreamUp || s == StreamSilent }

// Trusted reports whether the stream may be in control: nothing has gone wrong.
func (s StreamStatus) Trusted() bool { return s == StreamUnknown || s == StreamUp }

// Facts is what a machine knows besides its state: all that guards read. It is
// a value: a copy is independent.
type Facts struct {
	// Mode never changes.
	Mode Mode `json:"mode"`
	// RetireAfterJob makes the worker leave after one job. It never changes.
	RetireAfterJob bool `json:"after_job,omitempty"`

	// Stream is what is known about the stream.
	Stream StreamStatus `json:"stream"`
	// Connection is the oldest epoch of a connection that still counts; an event
	// of an older one is stale.
	Connection Epoch `json:"connection,omitempty"`

	// Paused: the worker takes no work until it is resumed.
	Paused bool `json:"paused,omitempty"`
	// Leaving is why the worker leaves as soon as no job is in hand. Once set it
	// does not change.
	Leaving LeaveReason `json:"leaving,omitzero"`
	// Retiring is why the worker leaves as soon as no job is in hand and it is
	// not paused.
	Retiring LeaveReason `json:"retiring,omitzero"`

	// IdleExpired: the idle timeout passed while a ping was in flight. The worker
	// leaves after the answer, unless that brings a job or a pause.
	IdleExpired bool `json:"idle_expired,omitempty"`

	// Job is the job in hand. It and Pinging exclude each other.
	Job JobID `json:"job,omitempty"`
	// Ping is the epoch of the last ping sent.
	Ping Epoch `json:"ping,omitempty"`
	// Pinging: that ping is in flight.
	Pinging bool `json:"pinging,omitempty"`
	// PingIsOld: the stream has sent a message since that ping was sent, so the
	// ping's answer may be out of date.
	PingIsOld bool `json:"old,omitempty"`

	// Mailbox holds the jobs to start later. It is empty unless the stream is up
	// or silent: the end of a connection empties it.
	Mailbox Mailbox `json:"-"`
	// Seen holds the jobs that were started and not rejected.
	Seen Seen `json:"-"`
}

// Idle reports whether a worker in state s with these facts has no job in hand
// and is not paused. A ping in flight is not work.
func (f *Facts) Idle(s State) bool {
	return s != Initial && s != Stopped && f.Job == "" && !f.Paused
}
