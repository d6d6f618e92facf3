package job

import (
	"context"
	"time"
)

// ControlPlane is what a job says to the control plane and asks of it. One
// value belongs to one job.
//
// Retries, and the deadline of each try, are the implementation's business.
// Every method must return soon after its context ends. Chunk and State are
// called concurrently with themselves and with each other; Start and Finish are
// called once each, before and after all the others.
type ControlPlane interface {
	// Start tells the control plane that the job starts. It is called before
	// anything is run. An error is definite: refused, or tried in vain as often
	// as the rule says. The job is then abandoned.
	Start(ctx context.Context, startedAt time.Time) error

	// Chunk uploads one piece of output. An error is definite: the piece is
	// lost and counted in Result.ChunksFailed. Chunks may arrive out of order;
	// each says where it belongs.
	Chunk(ctx context.Context, chunk Chunk) error

	// State asks for the job's state. "canceling" and "canceled" cancel the
	// job, and so do "timing_out" and "timed_out", as its timeout (wire-facts,
	// section 3, GET jobs/{id}). An error that is [ErrTokenInvalid] cancels it
	// too; any other is ignored until the next time.
	State(ctx context.Context) (string, error)

	// Finish delivers the result. Its context outlives the cancellation of the
	// job.
	Finish(ctx context.Context, result Result) error
}

// Chunk is one piece of a job's output (wire-facts, section 3, POST
// jobs/{id}/chunks).
type Chunk struct {
	Sequence uint64 // of the piece, from 1, without gaps
	Offset   uint64 // in bytes: all of the output before this piece
	Size     uint64 // in bytes: always len(Data)
	Data     []byte // as written by the job, not compressed; valid only until Chunk returns
}

// SignalReason says why a job ended that did not simply end (wire-facts,
// section 3, PUT jobs/{id}/finish).
type SignalReason string

// The signal reasons that this package gives. The empty reason means that the
// command ended by itself, or by a signal that was not ours.
const (
	ReasonNone            SignalReason = ""
	ReasonCancel          SignalReason = "cancel"            // by the control plane, also for a timeout and for an invalid token
	ReasonAgentStop       SignalReason = "agent_stop"        // this agent is leaving
	ReasonAgentRefused    SignalReason = "agent_refused"     // the job cannot be run as it was given
	ReasonProcessRunError SignalReason = "process_run_error" // the command could not be started
)

// StatusNeverRan is the exit status of a command that never ran, and of one
// that has no exit status because a signal ended it; in the latter case
// Result.Signal names the signal.
const StatusNeverRan = "-1"

// Result is how a job ended.
type Result struct {
	// ExitStatus is "0" to "255" as the command left it (any unsigned 32-bit
	// number on Windows), or [StatusNeverRan].
	ExitStatus string
	// Signal names the signal that ended the command, such as "SIGTERM"; empty
	// if none did.
	Signal string
	// SignalReason says why, if the agent had a hand in it. A command that ends
	// with status 0 when it is told to has the status "0" and the reason all
	// the same.
	SignalReason SignalReason
	// StartedAt is what ControlPlane.Start was told; FinishedAt is when the
	// command had ended, before the flush.
	StartedAt, FinishedAt time.Time
	// ChunksFailed counts the pieces of output that did not reach the control
	// plane.
	ChunksFailed int
	// OutputBytes counts the bytes of output, delivered or not, with the lines
	// that the agent added.
	OutputBytes uint64
	// Canceled is why the job was cancelled: ErrCanceled, ErrTimedOut,
	// ErrTokenInvalid, ErrAgentStop or the caller's own cause; nil if it was
	// not cancelled while it ran.
	Canceled error
}
