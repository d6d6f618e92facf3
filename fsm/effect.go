package fsm

// EffectKind says what the driver must do.
type EffectKind uint8

// The effects.
const (
	// OpenStream: open the stream, and reopen it whenever it ends, until the
	// worker stops.
	OpenStream EffectKind = iota
	// ArmTrust: post TrustExpired with the effect's epoch when the
	// first-message deadline has passed. Arming again replaces the deadline.
	ArmTrust
	// ArmPollNow: post PollDue at once.
	ArmPollNow
	// ArmPollLater: post PollDue when the ping interval has passed.
	ArmPollLater
	// DisarmPoll: post no PollDue.
	DisarmPoll
	// SendPing: send one ping, and post what became of it with the effect's
	// epoch.
	SendPing
	// CancelPing: give up the ping in flight. What it would have brought is
	// offered elsewhere.
	CancelPing
	// StartJob: accept the effect's job and run it, and post JobFinished or
	// JobRejected when it is over.
	StartJob
	// AcquireJob: the same, for the one job that the worker was started for.
	AcquireJob
	// StopAccepting: if the job in hand is not accepted yet, do not ask again.
	StopAccepting
	// CancelJob: cancel the job in hand, and arm its kill deadline, so that its
	// end comes whatever the job does.
	CancelJob
	// Stop: leave, for the effect's reason.
	Stop
)

const effectKindCount = int(Stop) + 1

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
func (k EffectKind) String() string {
	if int(k) < effectKindCount {
		return effectKindNames[k]
	}
	return "EffectKind(?)"
}

// Effect is one thing that the driver must do. It is comparable.
type Effect struct {
	// Kind says what to do.
	Kind EffectKind
	// Epoch is the one to post with: that of the ping for SendPing, that of the
	// connection for ArmTrust.
	Epoch Epoch
	// Job is the id for StartJob, AcquireJob and CancelJob.
	Job JobID
	// Reason is why the worker leaves, for Stop.
	Reason LeaveReason
}

// LeaveReason says why a worker leaves.
type LeaveReason uint8

// The reasons.
const (
	// Staying: the worker does not leave.
	Staying LeaveReason = iota
	// Drained: somebody asked for it on this machine.
	Drained
	// Disconnected: the control plane asked for it.
	Disconnected
	// JobDone: the worker was to leave after one job.
	JobDone
	// IdleTooLong: the worker was to leave after so long without work.
	IdleTooLong
	// UptimeReached: the worker was to leave after so long a life.
	UptimeReached
	// SessionWasRefused: the control plane does not know the worker any more.
	SessionWasRefused
	// PingWasRefused: polling will not work.
	PingWasRefused
	// StreamWasRefused: the stream will not work, and polling is not allowed.
	StreamWasRefused
	// AcquireWasRefused: the one job of the worker could not be had.
	AcquireWasRefused
)

const leaveReasonCount = int(AcquireWasRefused) + 1

var leaveReasonNames = [leaveReasonCount]string{
	Staying:           "staying",
	Drained:           "drained",
	Disconnected:      "disconnected by the control plane",
	JobDone:           "its one job is done",
	IdleTooLong:       "idle for too long",
	UptimeReached:     "uptime reached",
	SessionWasRefused: "session refused by the control plane",
	PingWasRefused:    "ping refused by the control plane",
	StreamWasRefused:  "stream refused by the control plane",
	AcquireWasRefused: "the job to acquire was refused",
}

// String returns the reason in words.
func (r LeaveReason) String() string {
	if int(r) < leaveReasonCount {
		return leaveReasonNames[r]
	}
	return "LeaveReason(?)"
}

// Failed tells whether to leave for this reason is a failure of the worker.
func (r LeaveReason) Failed() bool {
	return r >= SessionWasRefused
}
