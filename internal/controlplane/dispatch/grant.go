package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// JobGrant is the right to report on a job that a job token carries. It names one
// acceptance: if the job is requeued after the token was checked, Start and Finish
// are refused. It may be used concurrently.
type JobGrant struct {
	// JobID is the job that the token belongs to, BuildID its build.
	JobID, BuildID string

	d    *Dispatcher
	hash token.Hash
}

// AuthorizeJob returns what a job token permits, and renews the leases of the job
// and its worker. A token is valid until the job's record expires, unless the job
// is requeued or lost. ErrUnauthenticated.
func (d *Dispatcher) AuthorizeJob(ctx context.Context, jobToken string) (JobGrant, error) {
	id, ok := token.Job.ID(jobToken)
	if !ok {
		return JobGrant{}, ErrUnauthenticated
	}
	job, indexed := d.records.job(id)
	if !indexed || !token.MatchesAny(jobToken, job.TokenHashes...) {
		var err error
		if job, err = d.records.ReadJob(ctx, id); err != nil {
			return JobGrant{}, refused(err)
		}
		if !token.MatchesAny(jobToken, job.TokenHashes...) {
			return JobGrant{}, ErrUnauthenticated
		}
	}
	d.records.view(func(x *schedule.Index) { x.RenewJob(id, d.now()) })
	d.replicas.jobSeen(id)
	return JobGrant{JobID: id, BuildID: job.Build(), d: d, hash: token.HashOf(jobToken)}, nil
}

// refused returns ErrUnauthenticated for a missing record, and any other error as
// it is.
func refused(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrUnauthenticated
	}
	return err
}

// Start records that the job runs. at is the worker's clock, for the log only. It
// succeeds while the job runs. ErrNotFound; ErrUnauthenticated if the token was
// revoked; ErrWrongState if the job is not accepted.
func (g JobGrant) Start(ctx context.Context, at time.Time) error {
	job, err := g.d.records.changeJob(ctx, g.JobID, started(g.hash, g.d.now().UTC()))
	if err != nil {
		return err
	}
	g.d.log.Info("job started", zap.String("job_id", job.ID), zap.String("worker_id", job.WorkerID), zap.Time("at", at))
	return nil
}

// AppendLog stores a chunk of the job's log. Storing it again is a success.
// ErrInvalid, store.ErrUnavailable.
func (g JobGrant) AppendLog(ctx context.Context, c wire.Chunk) error {
	return g.d.logs.Append(ctx, g.JobID, c) //nolint:wrapcheck // it says what was attempted
}

// Finish records the job's result: it is finished, or canceled if that was
// requested or its timeout is exceeded. Repeated with the same result it succeeds.
// A job whose end was not seen is retried like a lost one. ErrNotFound;
// ErrUnauthenticated if the token was revoked; ErrWrongState if the job is neither
// accepted nor running.
func (g JobGrant) Finish(ctx context.Context, result wire.FinishRequest) error {
	if result.IgnoreAgent {
		if err := g.ignoreWorker(ctx); err != nil {
			return err
		}
	}
	d := g.d
	end := finished(g.hash, result, d.logs.Size(ctx, g.JobID), newID(), d.now().UTC())
	job, err := d.records.changeJob(ctx, g.JobID, end)
	if err != nil {
		return err
	}
	d.log.Info("job ended", zap.String("job_id", job.ID), zap.String("worker_id", job.WorkerID),
		zap.String("to", string(job.State)), zap.String("exit_status", job.ExitStatus))
	return d.sweeper.retry(ctx, job)
}

// ignoreWorker has the job's worker assigned no further job. It is written before
// the end of the job, which makes the worker free.
func (g JobGrant) ignoreWorker(ctx context.Context) error {
	job, indexed := g.d.records.job(g.JobID)
	if !indexed || !slices.Contains(job.TokenHashes, g.hash) {
		return nil // the job has ended or was requeued; finishing it reports that
	}
	_, err := g.d.records.changeWorker(ctx, job.WorkerID, func(w *store.Worker) error {
		if w.IgnoreInDispatches {
			return errUnchanged
		}
		w.IgnoreInDispatches = true
		return nil
	})
	if errors.Is(err, ErrNotFound) {
		return nil // its record has expired, so it is assigned nothing
	}
	return err
}

// SetMetadata sets keys of the meta-data of the job's build: see
// metadata.Store.Set. ErrWrongState if the job has ended.
func (g JobGrant) SetMetadata(ctx context.Context, items ...metadata.Item) error {
	job, err := g.d.records.findJob(ctx, g.JobID)
	if err != nil {
		return err
	}
	if !job.State.InHand() {
		return wrongState("job %s is %s", g.JobID, job.State)
	}
	return g.d.metadata.Set(ctx, g.BuildID, items...) //nolint:wrapcheck // it says what was attempted
}

// MetadataValue returns the value of a key of the build's meta-data. ErrNotFound.
func (g JobGrant) MetadataValue(ctx context.Context, key string) (string, error) {
	return g.d.metadata.Value(ctx, g.BuildID, key) //nolint:wrapcheck // it names the build
}

// MetadataKeys returns the keys of the build's meta-data, sorted.
func (g JobGrant) MetadataKeys(ctx context.Context) ([]string, error) {
	return g.d.metadata.Keys(ctx, g.BuildID) //nolint:wrapcheck // the store's errors say what was attempted
}
