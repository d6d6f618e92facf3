package job

import (
	"errors"
	"fmt"
)

// Causes of a cancellation. The first three are for context.CancelCauseFunc of
// the context given to [Run]. A context that ends with any other cause counts
// as ErrAgentStop.
var (
	// ErrCanceled means that the control plane, or a person through it,
	// cancelled the job.
	ErrCanceled = errors.New("the job was canceled")
	// ErrTimedOut means that the job's time ran out.
	ErrTimedOut = errors.New("the job timed out")
	// ErrAgentStop means that the agent stops and does not wait for its job:
	// flush and finish get Options.LeaveTimeout each.
	ErrAgentStop = errors.New("the agent is stopping")
	// ErrTokenInvalid is what ControlPlane.State answers when the job's token
	// is no longer valid (401). It cancels the job.
	ErrTokenInvalid = errors.New("the job's token is no longer valid")
)

// ErrRefused is in the chain of an error of ControlPlane.Chunk, State or Finish
// when the control plane itself does not want what it is told, and never will:
// the job is over for it, or not this agent's. Nothing is owed then.
var ErrRefused = errors.New("refused")

// ErrAbandoned means that the job was given up before it was run, and that no
// finish was sent: for the control plane this agent has not started it. Every
// other error of [Run] comes with a result that was delivered, or that could
// not be (a [PhaseError] with PhaseFinish).
var ErrAbandoned = errors.New("job abandoned")

// Phase is a part of [Run] that can fail.
type Phase string

// The phases, in their order.
const (
	PhaseSpec    Phase = "spec"    // the job or the options are not usable
	PhaseStart   Phase = "start"   // the control plane did not let it start
	PhasePrepare Phase = "prepare" // no working directory, no output pipe, no command
	PhaseProcess Phase = "process" // the command could not be started, or would not end
	PhaseFlush   Phase = "flush"   // output was lost
	PhaseFinish  Phase = "finish"  // the result could not be delivered
)

// PhaseError says which phase of a job failed. [Run] joins several when several
// fail.
type PhaseError struct {
	Phase Phase
	Err   error
}

// Error gives the phase and the cause on one line.
func (e *PhaseError) Error() string { return fmt.Sprintf("%s: %v", e.Phase, e.Err) }

// Unwrap gives the cause.
func (e *PhaseError) Unwrap() error { return e.Err }

// Is makes errors.Is match a PhaseError of the same phase without a cause.
func (e *PhaseError) Is(target error) bool {
	other, ok := target.(*PhaseError)
	return ok && other.Err == nil && other.Phase == e.Phase
}

// InPhase tells whether err, as [Run] gave it, says that this phase failed.
func InPhase(err error, phase Phase) bool { return errors.Is(err, &PhaseError{Phase: phase}) }
