package api

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// jobMessage is a stored job as the API says it. Its token hashes stay here.
func jobMessage(job store.Job, waitingReason string) *switchyardv1.Job {
	message := &switchyardv1.Job{
		Id: job.ID, Command: job.Command, Env: job.Env, Queue: job.Queue, Priority: job.Priority,
		IdempotencyKey: job.IdempotencyKey, State: jobState(job.State), WaitingReason: waitingReason,
		WorkerId: job.WorkerID, WorkerName: job.WorkerName,
		ExitStatus: job.ExitStatus, Signal: job.Signal, SignalReason: job.SignalReason,
		CancelReason: cancelReason(job), CancelRequested: job.CancelRequested,
		SubmittedAt: timestamp(job.SubmittedAt), AssignedAt: timestamp(job.AssignedAt),
		AcceptedAt: timestamp(job.AcceptedAt), StartedAt: timestamp(job.StartedAt),
		FinishedAt: timestamp(job.FinishedAt), LogSize: job.LogSize,
		ChunksFailedCount: int32(min(job.ChunksFailed, maxCount)), //nolint:gosec // bounded
		RetriesLeft:       int32(min(job.RetriesLeft, maxCount)),  //nolint:gosec // bounded
		RetryOf:           job.RetryOf, RetriedBy: job.RetriedBy,
	}
	if job.Timeout > 0 {
		message.Timeout = durationpb.New(job.Timeout)
	}
	return message
}

// cancelReason says it also where nobody asked for the cancellation: a job that
// has run and was not asked to end is canceled only when its time has run out.
func cancelReason(job store.Job) string {
	unasked := job.State == wire.StateCanceled && !job.CancelRequested && !job.StartedAt.IsZero()
	if job.CancelReason == "" && (job.TimedOut || unasked) {
		return "its time ran out"
	}
	return job.CancelReason
}

// maxCount is the most that a count of the API can say.
const maxCount = 1<<31 - 1

func workerMessage(worker dispatch.Worker) *switchyardv1.Worker {
	return &switchyardv1.Worker{
		Id: worker.ID, Name: worker.Name, Hostname: worker.Hostname, Os: worker.OS, Arch: worker.Arch,
		Version: worker.Version, Queue: worker.Queue, Tags: worker.Tags, State: workerState(worker.State),
		Paused: worker.Paused, PauseReason: worker.PauseReason, Stopping: worker.Stopping,
		Streaming: worker.Streaming, JobId: worker.JobID,
		RegisteredAt: timestamp(worker.RegisteredAt), LastSeenAt: timestamp(worker.LastSeenAt),
	}
}

// timestamp leaves out what has not happened.
func timestamp(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}
