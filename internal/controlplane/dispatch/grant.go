package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// JobGrant is the right to report on a job, as its token gives it. It names one
// acceptance: should the job go to another worker between the token's check and
// the call, the call is refused. It may be used concurrently.
type JobGrant struct {
	// JobID is the job that the token belongs to.
	JobID string
	// BuildID is the build that the job is of.
	BuildID string

	d    *Dispatcher
	hash token.Hash // of the token
}

// holds reports whether the grant is one of the job's acceptance as it stands.
func (g JobGrant) holds(job store.Job) bool {
	return slices.Contains(job.TokenHashes, g.hash)
}

// AuthorizeJob answers with what a job token allows. The tokens of an acceptance
// work until the job's record expires, unless the job went back to its queue or
// was lost. ErrUnauthenticated.
func (d *Dispatcher) AuthorizeJob(ctx context.Context, jobToken string) (JobGrant, error) {
	id, ok := token.Job.ID(jobToken)
	if !ok {
		return JobGrant{}, ErrUnauthenticated
	}
	grant := JobGrant{JobID: id, d: d, hash: token.HashOf(jobToken)}
	job, indexed := d.jobInHand(id)
	if !indexed || !token.MatchesAny(jobToken, job.TokenHashes...) {
		var err error
		if job, err = d.readJob(ctx, id); err != nil {
			return JobGrant{}, refused(err)
		}
		if !token.MatchesAny(jobToken, job.TokenHashes...) {
			return JobGrant{}, ErrUnauthenticated
		}
	}
	grant.BuildID = job.Build()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.x.hearJob(id, d.now())
	d.toSignal.job(id)
	return grant, nil
}

// refused makes what is not there a refusal, and leaves any other error.
func refused(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrUnauthenticated
	}
	return err
}

// Start records that the job runs; at is the worker's clock, kept only in the
// log. Idempotent while it runs. ErrNotFound, ErrUnauthenticated where the grant
// no longer holds, and ErrWrongState where the job is not accepted.
func (g JobGrant) Start(ctx context.Context, at time.Time) error {
	d := g.d
	job, err := d.changeJob(ctx, g.JobID, func(job *store.Job) error {
		if !g.holds(*job) {
			return ErrUnauthenticated
		}
		switch job.State {
		case wire.StateRunning:
			return errKeep
		case wire.StateAccepted:
			job.State, job.StartedAt = wire.StateRunning, d.now().UTC()
			return nil
		case wire.StateQueued, wire.StateAssigned, wire.StateFinished, wire.StateCanceled, wire.StateLost:
		}
		return wrongState("job %s is %s, not accepted", g.JobID, job.State)
	})
	if err != nil {
		return err
	}
	d.log.Info("job started", zap.String("job", job.ID), zap.String("worker", job.WorkerID), zap.Time("at", at))
	return nil
}

// AppendLog stores one piece of the job's log. A piece that is there already may
// be sent again. ErrInvalid, and store.ErrUnavailable.
func (g JobGrant) AppendLog(ctx context.Context, chunk LogChunk) error {
	d := g.d
	switch {
	case chunk.Sequence == 0:
		return &InvalidError{"sequence", "must be 1 or more"}
	case len(chunk.Data) > MaxChunkSize:
		return &InvalidError{"size", fmt.Sprintf("must be at most %d bytes", MaxChunkSize)}
	case len(chunk.Data) == 0:
		return nil
	}
	if chunk.Offset+uint64(len(chunk.Data)) < chunk.Offset {
		return &InvalidError{"offset", "is too large"}
	}
	c := store.Chunk{Sequence: chunk.Sequence, Offset: chunk.Offset, Data: chunk.Data}
	if err := d.st.AppendLog(ctx, g.JobID, c); err != nil {
		return err //nolint:wrapcheck // the store's errors are in words already
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if j := d.x.inHand[g.JobID]; j != nil {
		j.logEnd = max(j.logEnd, c.End())
	}
	return nil
}

// Finish records how the job ended: finished, or canceled where that was
// asked for or its time ran out. Again, with the same result, it is a success. A
// job that ended with its worker, unseen, is retried as a lost one is.
// ErrNotFound, ErrUnauthenticated where the grant no longer holds, and
// ErrWrongState where the job is not running or accepted.
func (g JobGrant) Finish(ctx context.Context, r Result) error {
	d := g.d
	if r.IgnoreAgent {
		if err := d.ignoreWorkerOf(ctx, g); err != nil {
			return err
		}
	}
	size := d.logSize(ctx, g.JobID)
	job, err := d.changeJob(ctx, g.JobID, func(job *store.Job) error {
		if !g.holds(*job) {
			return ErrUnauthenticated
		}
		switch job.State {
		case wire.StateAccepted, wire.StateRunning:
		case wire.StateFinished, wire.StateCanceled:
			if job.ExitStatus == r.ExitStatus && job.Signal == r.Signal && job.SignalReason == r.SignalReason {
				return errKeep
			}
			return wrongState("job %s is %s with another result", g.JobID, job.State)
		case wire.StateQueued, wire.StateAssigned, wire.StateLost:
			return wrongState("job %s is %s", g.JobID, job.State)
		}
		job.State = wire.StateFinished
		if job.CancelRequested || job.TimedOut || overdue(*job, d.now()) && r.SignalReason != "" {
			job.State = wire.StateCanceled
		}
		job.ExitStatus, job.Signal, job.SignalReason = r.ExitStatus, r.Signal, r.SignalReason
		job.ChunksFailed, job.LogSize = max(0, r.ChunksFailed), size
		job.FinishedAt = d.now().UTC()
		if job.State == wire.StateFinished && r.unseen() && retriable(*job) {
			job.RetriedBy = newID()
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.log.Info("job over", zap.String("job", job.ID), zap.String("worker", job.WorkerID),
		zap.String("state", string(job.State)), zap.String("exit_status", job.ExitStatus))
	if job.RetriedBy != "" {
		return d.retry(ctx, job)
	}
	return nil
}

// ignoreWorkerOf keeps the worker of a job from being given another. It is written
// before the job's end, which would make the worker free.
func (d *Dispatcher) ignoreWorkerOf(ctx context.Context, g JobGrant) error {
	job, indexed := d.jobInHand(g.JobID)
	if !indexed || !g.holds(job) {
		return nil // over already, or not this worker's: what comes next says so
	}
	_, err := d.changeWorker(ctx, job.WorkerID, func(a *store.Worker) error {
		if a.IgnoreInDispatches {
			return errKeep
		}
		a.IgnoreInDispatches = true
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil // its record has expired: it is given nothing in any case
	}
	return err
}

// logSize is the end of the furthest piece of a job's log that has arrived, as far
// as this replica knows: it looks at what it stored itself and at what was stored
// last.
func (d *Dispatcher) logSize(ctx context.Context, jobID string) uint64 {
	d.mu.Lock()
	var size uint64
	if j := d.x.jobs[jobID]; j != nil {
		size = j.logEnd
	}
	d.mu.Unlock()
	last, err := d.st.LastChunk(ctx, jobID)
	if err != nil {
		return size // there is none, or the write that follows will say what is wrong
	}
	return max(size, last.End())
}
