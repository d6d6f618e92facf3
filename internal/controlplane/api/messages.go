package api

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// jobMessage returns the message for a stored job. It contains no token hash, and no
// secret among the variables.
func jobMessage(job record.Job, waitingReason string) *switchyardv1.Job {
	message := &switchyardv1.Job{
		Id: job.ID, Command: job.Command, Env: hideSecrets(job.Env), Queue: job.Queue, Tags: job.Tags, Priority: job.Priority,
		IdempotencyKey: job.IdempotencyKey, State: jobState(job.State), WaitingReason: waitingReason,
		WorkerId: job.WorkerID, WorkerName: job.WorkerName,
		ExitStatus: job.ExitStatus, Signal: job.Signal, SignalReason: job.SignalReason,
		CancelReason: cancelReason(job), CancelRequested: job.CancelRequested,
		SubmittedAt: timestamp(job.SubmittedAt), AssignedAt: timestamp(job.AssignedAt),
		AcceptedAt: timestamp(job.AcceptedAt), StartedAt: timestamp(job.StartedAt),
		FinishedAt: timestamp(job.FinishedAt), LogSize: job.LogSize, LogCut: job.LogCut,
		LogDeletion: deletionMessage(job.Log.Deletion), LogBackupAt: timestamp(job.Log.BackupAt),
		ChunksFailedCount: count(logstate.Missing(&job.Job, job.Log)),
		RetryCount:        count(job.RetryCount),
		Retries:           count(job.RetryCount + job.RetriesLeft),
		RetryOf:           job.RetryOf, RetriedBy: job.RetriedBy,
		Outcome: jobOutcome(job.Outcome()), LostReason: job.LostReason, TimedOut: job.TimedOut,
		StopRequested: job.StopRequested, Late: job.Late, Usage: usageMessage(job.Usage),
	}
	if !job.State.Final() {
		message.RetriesLeft = message.GetRetries() - message.GetRetryCount()
	}
	if job.Log.Deletion != nil {
		message.LogSize, message.LogCut = 0, false
	}
	if late := job.LateResult; late != nil {
		message.LateResult = &switchyardv1.JobResult{
			ExitStatus: late.ExitStatus, Signal: late.Signal, SignalReason: late.SignalReason,
		}
	}
	if job.Timeout > 0 {
		message.Timeout = durationpb.New(job.Timeout)
	}
	if job.Limits != (wire.Limits{}) {
		message.Limits = &switchyardv1.Limits{
			Memory: uint64(max(job.Limits.Memory, 0)), Cpus: job.Limits.CPUs,
			Pids: count(job.Limits.PIDs),
		}
	}
	return message
}

// usageMessage returns the message for what a job took, or nil.
func usageMessage(u wire.Usage) *switchyardv1.Usage {
	if u == (wire.Usage{}) {
		return nil
	}
	return &switchyardv1.Usage{
		Wall:       durationpb.New(time.Duration(u.WallMicros) * time.Microsecond),
		Cpu:        durationpb.New(time.Duration(u.CPUMicros) * time.Microsecond),
		PeakMemory: uint64(max(u.PeakMemory, 0)), Group: u.Group,
		MemoryLimitExceeded: uint64(max(u.MemoryLimit, 0)),
	}
}

// deletionMessage returns the message for the deletion of a log, or nil.
func deletionMessage(deletion *logstate.Deletion) *switchyardv1.LogDeletion {
	if deletion == nil {
		return nil
	}
	return &switchyardv1.LogDeletion{
		By: deletion.By, At: timestamp(deletion.At), Bytes: deletion.Bytes, Reason: deletion.Reason,
	}
}

// addHistory adds the changes of a job to its message.
func addHistory(message *switchyardv1.Job, history lifecycle.History) {
	for _, entry := range history.Entries {
		message.History = append(message.History, &switchyardv1.JobEvent{
			At: timestamp(entry.At), Event: entry.Event, Actor: entry.Actor,
			From: jobState(entry.From), To: jobState(entry.To), Reason: entry.Reason,
			WorkerId: entry.WorkerID, WorkerName: entry.WorkerName,
		})
	}
	message.HistoryDropped = count(history.Dropped)
	message.HistoryHead = int32(history.Head()) //nolint:gosec // a few
}

// cancelReason returns why the job was canceled.
func cancelReason(job record.Job) string {
	switch {
	case job.CancelReason != "":
		return job.CancelReason
	case job.TimedOut:
		return "its timeout expired"
	case job.StopRequested:
		return "its worker was stopped"
	}
	return ""
}

// maxCount is the largest count that fits in a message.
const maxCount = 1<<31 - 1

// count returns a number as messages have it.
func count(n int) int32 { return int32(min(n, maxCount)) } //nolint:gosec // bounded

// eventMessage returns the message for an event of a followed job.
func eventMessage(event joblog.Event) *switchyardv1.FollowJobResponse {
	if event.Job != nil {
		return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Job{Job: jobMessage(*event.Job, event.WaitingReason)}}
	}
	return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{Log: &switchyardv1.LogChunk{
		Offset: event.Chunk.Offset, Data: event.Chunk.Data, Missing: event.Missing, Gap: logGap(event.Cause),
		ReceivedAt: timestamp(event.Chunk.StoredAt),
	}}}
}

// logGap returns why bytes of a log are missing.
func logGap(cause joblog.Cause) switchyardv1.LogGap {
	switch cause {
	case joblog.Undelivered:
		return switchyardv1.LogGap_LOG_GAP_UNDELIVERED
	case joblog.NotArrived:
		return switchyardv1.LogGap_LOG_GAP_NOT_ARRIVED
	case joblog.NotKept:
		return switchyardv1.LogGap_LOG_GAP_NOT_KEPT
	case joblog.NotInBackup:
		return switchyardv1.LogGap_LOG_GAP_NOT_IN_BACKUP
	case joblog.NoCause:
	}
	return switchyardv1.LogGap_LOG_GAP_UNSPECIFIED
}

// workerMessage returns the message for a worker.
func workerMessage(worker schedule.Worker) *switchyardv1.Worker {
	standing := worker.Standing()
	message := &switchyardv1.Worker{
		Id: worker.ID, Name: worker.Name, Hostname: worker.Hostname, Os: worker.OS, Arch: worker.Arch,
		Version: worker.Version, Queue: worker.Queue, Tags: worker.Tags, State: workerState(worker.State),
		Paused: standing == workerstate.Paused, PauseReason: worker.PauseReason, PausedBy: string(worker.PausedBy),
		Stopping:   standing == workerstate.Draining || standing == workerstate.Stopped,
		StopForced: standing == workerstate.Stopped, StopReason: worker.StopReason,
		Streaming: worker.Streaming, JobId: worker.JobID,
		RegistrationTokenId: cmp.Or(worker.RegisteredWith, access.RegistrationID), Revoked: worker.Revoked,
		RegisteredAt: timestamp(worker.RegisteredAt), LastSeenAt: timestamp(worker.LastSeenAt), PausedAt: timestamp(worker.PausedAt),
		Unheard: worker.Unheard, MachineState: worker.Machine.State, MachineControl: worker.Machine.Control,
		MachineSince: timestamp(worker.Machine.Since), MachineReportedAt: timestamp(worker.Machine.At),
	}
	for _, change := range worker.MachineChanges {
		message.MachineChanges = append(message.MachineChanges, &switchyardv1.MachineChange{
			From: change.From, To: change.To, At: timestamp(change.At), Cause: change.Cause,
		})
	}
	return message
}

// timestamp returns the message for a time, or nil for the zero time.
func timestamp(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}
