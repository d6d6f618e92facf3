package fsm

// EffectKind is what the driver must do.
type EffectKind uint8

// The effects.
const (
	// OpenStream: open the stream, and reopen it whenever it ends, until the
	// worker stops.
	OpenStream EffectKind = iota
	// ArmTrust: post TrustExpired with the effect's epoch when the
	// first-message deadline has passed. Arming again replaces the deadline, and
	// so does each message: the driver then posts TrustExpired with the epoch of
	// the message when the next one is late.
	ArmTrust
	// ArmPollNow: post PollDue at once.
	ArmPollNow
	// ArmPollLater: post PollDue when the ping interval has passed.
	ArmPollLater
	// DisarmPoll: do not post PollDue.
	DisarmPoll
	// SendPing: send one ping, and post its result with the effect's epoch.
	SendPing
	// CancelPing: cancel the ping in flight. A job that its answer would have
	// named is offered again.
	CancelPing
	// StartJob: accept the effect's job and run it, and post JobFinished or
	// JobRejected when it is over.
	StartJob
	// AcquireJob: the same, for the one job that the worker was started for.
	AcquireJob
	// StopAccepting: if the job in hand is not accepted yet, stop retrying.
	StopAccepting
	// CancelJob: cancel the job in hand, and arm its kill deadline, so that it
	// ends in any case.
	CancelJob
	// Stop: leave, for the effect's reason.
	Stop

	effectKindCount = iota // stays last
)

var effectKindNames = [effectKindCount]string{
	OpenStream:    "open stream",
	ArmTrust:      "arm first-message deadline",
	ArmPollNow:    "arm poll now",
	ArmPollLater:  "arm poll after the interval",
	DisarmPoll:    "disarm poll",
	SendPing:      "send ping",
	CancelPing:    "cancel ping",
	StartJob:      "start job",
	AcquireJob:    "acquire job",
	StopAccepting: "stop retrying accept",
	CancelJob:     "cancel job, arm kill deadline",
	Stop:          "leave",
}

// String returns the effect in words, such as "send ping".
func (k EffectKind) String() string { return nameOf(k, effectKindNames[:]) }

// Effect is one thing that the driver must do. It is comparable.
type Effect struct {
	Kind EffectKind `json:"do"`
	// Epoch is to be carried by the event that follows: it is that of the ping
	// for SendPing, and that of the connection for ArmTrust.
	Epoch Epoch `json:"epoch,omitempty"`
	// Job is the ID for StartJob, AcquireJob and CancelJob.
	Job JobID `json:"job,omitempty"`
	// Reason is why the worker leaves, for Stop.
	Reason LeaveReason `json:"reason,omitzero"`
}

// LeaveReason is why a worker leaves.
type LeaveReason uint8

// The reasons.
const (
	// Staying: the worker does not leave.
	Staying LeaveReason = iota
	// Drained: a user of this machine asked for it.
	Drained
	// Disconnected: the control plane asked for it.
	Disconnected
	// JobDone: the worker runs one job only.
	JobDone
	// IdleTooLong: the worker had no work for its whole idle timeout.
	IdleTooLong
	// UptimeReached: the worker reached its maximum uptime.
	UptimeReached
	// SessionWasRefused: the control plane no longer knows the worker.
	SessionWasRefused
	// PingWasRefused: polling will not work.
	PingWasRefused
	// StreamWasRefused: the stream will not work, and polling is not allowed.
	StreamWasRefused
	// AcquireWasRefused: the one job of the worker could not be acquired.
	AcquireWasRefused

	leaveReasonCount = iota // stays last
)

// leaveReasons names the reasons, and marks those that are a failure.
var leaveReasons = [leaveReasonCount]struct {
	name   string
	failed bool
}{
	Staying:           {"staying", false},
	Drained:           {"drained", false},
	Disconnected:      {"disconnected by the control plane", false},
	JobDone:           {"its one job is done", false},
	IdleTooLong:       {"idle for too long", false},
	UptimeReached:     {"uptime reached", false},
	SessionWasRefused: {"session refused by the control plane", true},
	PingWasRefused:    {"ping refused by the control plane", true},
	StreamWasRefused:  {"stream refused by the control plane", true},
	AcquireWasRefused: {"the job to acquire was refused", true},
}

// String returns the reason in words.
func (r LeaveReason) String() string {
	if r < leaveReasonCount {
		return leaveReasons[r].name
	}
	return noName
}

// Failed reports whether a worker that leaves for the reason has failed.
func (r LeaveReason) Failed() bool { return r < leaveReasonCount && leaveReasons[r].failed }
