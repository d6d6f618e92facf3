package dispatch

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A transition returns the record of a job after an event. It is a pure function.
// It fails with errUnchanged if the event changes nothing, and with ErrWrongState
// or ErrUnauthenticated if the job refuses the event.
//
// The functions of this file are the whole life cycle of a job: nothing else
// assigns the state of a job's record.
type transition func(job store.Job) (store.Job, error)

// maxTokens is how many tokens of one acceptance are valid: a worker that accepts
// again has not received the response, but an older request may still be in
// flight and be handled after the newer one.
const maxTokens = 8

// submitted returns the record of a new job.
func submitted(job store.Job, id string, now time.Time) store.Job {
	return store.Job{
		ID: id, Command: job.Command, Env: job.Env, Queue: job.Queue, Priority: job.Priority,
		Timeout: job.Timeout, IdempotencyKey: job.IdempotencyKey, RetriesLeft: job.RetriesLeft,
		State: wire.StateQueued, SubmittedAt: now,
	}
}

// retryOf returns the record of the job that retries a lost one.
func retryOf(lost store.Job, now time.Time) store.Job {
	retry := submitted(lost, lost.RetriedBy, now)
	retry.IdempotencyKey = ""
	retry.RetriesLeft--
	retry.RetryOf, retry.BuildID = lost.ID, lost.Build()
	return retry
}

// assigned offers a queued job to the worker of a claim.
func assigned(c *schedule.Claim, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		if job.State != wire.StateQueued {
			return job, errUnchanged
		}
		job.State = wire.StateAssigned
		job.WorkerID, job.WorkerName, job.AssignedAt = c.WorkerID, c.WorkerName, now
		return job, nil
	}
}

// accepted lets a worker accept the job that is assigned to it. A repeated
// acceptance adds a token.
func accepted(worker store.Worker, hash token.Hash, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		switch {
		case job.WorkerID != worker.ID || job.State != wire.StateAssigned && job.State != wire.StateAccepted:
			return job, wrongState("job %s is %s, not assigned to worker %s", job.ID, job.State, worker.ID)
		case job.State == wire.StateAccepted:
			hashes := append(slices.Clone(job.TokenHashes), hash)
			job.TokenHashes = hashes[max(0, len(hashes)-maxTokens):]
		default:
			job.State, job.AcceptedAt = wire.StateAccepted, now
			job.TokenHashes = []token.Hash{hash}
		}
		return job, nil
	}
}

// acquired lets a worker accept a queued job that was not assigned to it.
func acquired(worker store.Worker, hash token.Hash, now time.Time) transition {
	accept := accepted(worker, hash, now)
	return func(job store.Job) (store.Job, error) {
		switch {
		case job.State == wire.StateQueued:
			job.State, job.AssignedAt = wire.StateAssigned, now
			job.WorkerID, job.WorkerName = worker.ID, worker.Name
		case job.WorkerID != worker.ID || job.State != wire.StateAssigned && job.State != wire.StateAccepted:
			return job, wrongState("job %s is %s", job.ID, job.State)
		}
		return accept(job)
	}
}

// started starts an accepted job for the holder of a token.
func started(hash token.Hash, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		switch {
		case !slices.Contains(job.TokenHashes, hash):
			return job, ErrUnauthenticated
		case job.State == wire.StateRunning:
			return job, errUnchanged
		case job.State != wire.StateAccepted:
			return job, wrongState("job %s is %s, not accepted", job.ID, job.State)
		}
		job.State, job.StartedAt = wire.StateRunning, now
		return job, nil
	}
}

// finished ends a job for the holder of a token: finished, or canceled if its
// cancellation was requested or its timeout is exceeded. retryID is the job that
// retries this one if its end was not seen.
func finished(hash token.Hash, result wire.FinishRequest, logSize uint64, retryID string, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		switch {
		case !slices.Contains(job.TokenHashes, hash):
			return job, ErrUnauthenticated
		case job.State == wire.StateFinished || job.State == wire.StateCanceled:
			if job.ExitStatus == result.ExitStatus && job.Signal == result.Signal && job.SignalReason == result.SignalReason {
				return job, errUnchanged
			}
			return job, wrongState("job %s is %s with another result", job.ID, job.State)
		case job.State != wire.StateAccepted && job.State != wire.StateRunning:
			return job, wrongState("job %s is %s", job.ID, job.State)
		}
		job.State = wire.StateFinished
		if job.CancelRequested || job.TimedOut || job.Overdue(now) && result.SignalReason != "" {
			job.State = wire.StateCanceled
		}
		job.ExitStatus, job.Signal, job.SignalReason = result.ExitStatus, result.Signal, result.SignalReason
		job.ChunksFailed, job.LogSize, job.FinishedAt = max(0, result.ChunksFailed), logSize, now
		if job.State == wire.StateFinished && retriable(job) &&
			wire.EndUnseen(result.ExitStatus, result.Signal, result.SignalReason) {
			job.RetriedBy = retryID
		}
		return job, nil
	}
}

// canceled cancels a job that was not started, and requests the cancellation of a
// running one from its worker.
func canceled(reason string, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		switch {
		case job.State == wire.StateCanceled, job.State == wire.StateRunning && job.CancelRequested:
			return job, errUnchanged
		case job.State == wire.StateRunning:
			job.CancelRequested, job.CancelReason = true, reason
		case job.State.Final():
			return job, wrongState("job %s is %s already", job.ID, job.State)
		default:
			job.State, job.CancelReason, job.FinishedAt = wire.StateCanceled, reason, now
			job.TokenHashes = nil
		}
		return job, nil
	}
}

// decided applies a decision of the lease rules, if the job has not changed since.
// retryID is the job that retries this one if it is lost.
func decided(d schedule.Decision, logSize uint64, retryID string, now time.Time) transition {
	return func(job store.Job) (store.Job, error) {
		if job.Revision != d.Revision {
			return job, errUnchanged
		}
		switch d.Action {
		case schedule.Requeue:
			job.State = wire.StateQueued
			job.WorkerID, job.WorkerName, job.TokenHashes = "", "", nil
			job.AssignedAt, job.AcceptedAt, job.StartedAt = time.Time{}, time.Time{}, time.Time{}
		case schedule.MarkLost:
			job.State, job.LostReason, job.ExitStatus = wire.StateLost, d.Reason, wire.ExitStatusNeverRan
			job.TokenHashes, job.FinishedAt, job.LogSize = nil, now, logSize
			if retriable(job) {
				job.RetriedBy = retryID
			}
		case schedule.TimeOut:
			job.TimedOut = true
		case schedule.Cancel:
			job.CancelRequested, job.CancelReason = true, d.Reason
		case schedule.Keep:
			return job, errUnchanged
		}
		return job, nil
	}
}

// retriable reports whether a job is submitted again if its end was not seen.
func retriable(job store.Job) bool {
	return job.RetriesLeft > 0 && !job.CancelRequested && !job.TimedOut
}

// reportedState returns the state of a job as the agents' wire has it: that of a
// running job which must end is canceling or timing_out.
func reportedState(job store.Job, now time.Time) wire.JobState {
	switch {
	case job.State != wire.StateRunning:
		return job.State
	case job.CancelRequested:
		return wire.StateCanceling
	case job.TimedOut || job.Overdue(now):
		return wire.StateTimingOut
	}
	return job.State
}
