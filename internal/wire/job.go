package wire

// JobState is the state of a job: what the control plane stores, and what GET
// jobs/ID returns.
type JobState string

// The states of a job. Queued, Assigned, Accepted and Running are live; Finished,
// Canceled and Lost are final.
const (
	// StateQueued waits for a worker.
	StateQueued JobState = "queued"
	// StateAssigned is offered to one worker, which has not accepted it yet.
	StateAssigned JobState = "assigned"
	// StateAccepted was taken by that worker, and is not started yet.
	StateAccepted JobState = "accepted"
	// StateRunning was started.
	StateRunning JobState = "running"
	// StateFinished ended by itself; its exit status says how.
	StateFinished JobState = "finished"
	// StateCanceled was ended by a cancellation or its timeout, or never began
	// because of one.
	StateCanceled JobState = "canceled"
	// StateLost was held by a worker that was lost; how it ended is not known.
	StateLost JobState = "lost"
)

// Words that GET jobs/ID returns for a job that must end: those of our control
// plane for a running job, and those of existing ones once it has ended.
const (
	StateCanceling JobState = "canceling"
	StateTimingOut JobState = "timing_out"
	StateTimedOut  JobState = "timed_out"
)

// JobStates returns every state that a stored job can have.
func JobStates() []JobState {
	return []JobState{StateQueued, StateAssigned, StateAccepted, StateRunning, StateFinished, StateCanceled, StateLost}
}

// Final reports whether a job in this state has ended.
func (s JobState) Final() bool {
	return s == StateFinished || s == StateCanceled || s == StateLost
}

// InHand reports whether a job in this state belongs to one worker.
func (s JobState) InHand() bool {
	return s == StateAssigned || s == StateAccepted || s == StateRunning
}

// Valid reports whether s is a state that a stored job can have.
func (s JobState) Valid() bool {
	return s == StateQueued || s.InHand() || s.Final()
}

// ExitStatusNeverRan is the exit status of a command that never ran, or whose end
// was not seen.
const ExitStatusNeverRan = "-1"

// Signal reasons of a finished job.
const (
	ReasonAgentRefused    = "agent_refused"
	ReasonAgentStop       = "agent_stop"
	ReasonCancel          = "cancel"
	ReasonProcessRunError = "process_run_error"
	// ReasonTimedOut is ours alone: the agent has kept the timeout of Job.TimeoutSeconds.
	ReasonTimedOut = "timed_out"
)

// NotStarted returns why the command of a job never ran, for people, or "" if it ran or
// its end was not seen.
func NotStarted(exitStatus, signal, signalReason string) string {
	if exitStatus != ExitStatusNeverRan || signal != "" {
		return ""
	}
	switch signalReason {
	case ReasonAgentStop:
		return ""
	case ReasonProcessRunError:
		return "the agent could not run its command; the log has the cause"
	case ReasonAgentRefused:
		return "the agent refused it; the log has the cause"
	case ReasonCancel:
		return "it was canceled first"
	case ReasonTimedOut:
		return "its time ran out first"
	case "":
		return "the agent reported no cause"
	}
	return signalReason
}

// EndUnseen reports whether a result says that the end of the job was not seen,
// because its agent was gone by then.
func EndUnseen(exitStatus, signal, signalReason string) bool {
	return exitStatus == ExitStatusNeverRan && signal == "" && signalReason == ReasonAgentStop
}

// Ending returns in words how a job ended, such as "exit status 1" or "not started: it was
// canceled first".
func Ending(exitStatus, signal, signalReason string) string {
	switch why := NotStarted(exitStatus, signal, signalReason); {
	case why != "":
		return "not started: " + why
	case EndUnseen(exitStatus, signal, signalReason):
		return "its end was not seen, because its agent had ended"
	}
	text := "exit status " + exitStatus
	if signal != "" {
		text = "ended by " + signal
	}
	if signalReason != "" {
		text += " (" + signalReason + ")"
	}
	return text
}
