package job

import (
	"context"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// ControlPlane is one job's connection to the control plane.
//
// The implementation retries and bounds each try. Every method must return soon
// after its context ends. Chunk and State may be called concurrently; Start and
// Finish are called once each, before and after all others.
type ControlPlane interface {
	// Start reports that the job starts, before anything is run. An error is final:
	// the job is abandoned.
	Start(ctx context.Context, startedAt time.Time) error

	// Chunk uploads a chunk of the log. Chunks may arrive out of order. An error is
	// final; it wraps wire.ErrRefused if the control plane will never take the chunk.
	Chunk(ctx context.Context, chunk wire.Chunk) error

	// State returns the state of the job. The states canceling and canceled cancel
	// the job, timing_out and timed_out do so as its timeout (wire-facts, section 3,
	// GET jobs/{id}). An error that wraps ErrTokenInvalid cancels it too; every
	// other error is ignored until the next request.
	State(ctx context.Context) (wire.JobState, error)

	// Finish delivers the result. Its context outlives the cancellation of the job.
	Finish(ctx context.Context, result wire.FinishRequest) error
}

// Result is how a job ended.
type Result struct {
	// FinishRequest is what is reported to the control plane. ExitStatus is
	// wire.ExitStatusNeverRan also if a signal ended the command. SignalReason is
	// set if the agent has ended it, whatever its exit status. FinishedAt is when it
	// had ended, before the flush.
	wire.FinishRequest

	// StartedAt is the time passed to ControlPlane.Start.
	StartedAt time.Time
	// OutputBytes is the size of the log in bytes, delivered or not.
	OutputBytes uint64
	// Canceled is the cause of the cancellation; nil if the job was not canceled
	// while it ran.
	Canceled error
}

// succeeded reports whether the command ended by itself with status 0.
func (r Result) succeeded() bool {
	return r.ExitStatus == "0" && r.SignalReason == "" && r.Canceled == nil
}
