package job

import (
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Causes of a cancellation. The first three are for the CancelCauseFunc of the
// context given to [Run]. Every other cause counts as ErrAgentStop.
var (
	// ErrCanceled means that the control plane, or a person through it, canceled the
	// job.
	ErrCanceled = errors.New("the job was canceled")
	// ErrTimedOut means that the job exceeded its timeout.
	ErrTimedOut = errors.New("the job timed out")
	// ErrAgentStop means that the agent stops and does not wait for its job.
	ErrAgentStop = errors.New("the agent is stopping")
	// ErrTokenInvalid means that the job's token is no longer valid.
	ErrTokenInvalid = wire.ErrTokenInvalid
)

// errLimit means that the agent itself has kept the job's timeout. It wraps
// ErrTimedOut.
var errLimit = fmt.Errorf("%w", ErrTimedOut)

// agentStops reports whether a job canceled for this cause ends because its agent
// stops.
func agentStops(cause error) bool {
	return !errors.Is(cause, ErrCanceled) && !errors.Is(cause, ErrTimedOut) && !errors.Is(cause, ErrTokenInvalid)
}

// ErrAbandoned means that the job was given up before it was run, and that no finish
// was sent: for the control plane, this agent has not started it. Every other error
// of [Run] comes with a result that was delivered, unless it wraps PhaseFinish.
var ErrAbandoned = errors.New("job abandoned")

// Phase is a part of [Run] that can fail. As an error, it is wrapped by the errors of
// Run.
type Phase string //nolint:errname // it names a phase, also as an error

// The phases, in order.
//
//nolint:errname // as above
const (
	PhaseSpec    Phase = "spec"    // the job or the options are invalid
	PhaseStart   Phase = "start"   // the control plane did not accept the start
	PhasePrepare Phase = "prepare" // no working directory, no checkout or no command
	PhaseProcess Phase = "process" // the command could not be started, or did not end
	PhaseFlush   Phase = "flush"   // output was lost
	PhaseFinish  Phase = "finish"  // the result could not be delivered
)

// Error returns the name of the phase.
func (p Phase) Error() string { return string(p) }
