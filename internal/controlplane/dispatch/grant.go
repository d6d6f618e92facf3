package dispatch

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// JobGrant is the right to report on a job that a job token carries. It names one
// acceptance: if the job is requeued after the token was checked, Start and Finish
// are refused. Once the job has ended, only Finish accepts it, and AppendLog for what is
// missing in the log: see InHand. It may be used concurrently.
type JobGrant struct {
	// JobID is the job that the token belongs to, BuildID its build.
	JobID, BuildID string

	d        *Dispatcher
	hash     string
	workerID string
	inHand   bool
	// registeredWith is of the job's worker.
	registeredWith string
}

// AuthorizeJob returns what a job token permits, and renews the leases of the job
// and its worker. A token is refused once the job is requeued, another token of the
// same acceptance has started it, or the worker is revoked. ErrUnauthenticated, as a
// *record.RevokedError for a worker that was revoked.
func (d *Dispatcher) AuthorizeJob(ctx context.Context, jobToken string) (JobGrant, error) {
	id, ok := token.Job.ID(jobToken)
	if !ok {
		return JobGrant{}, ErrUnauthenticated
	}
	job, indexed := d.records.job(id)
	if !indexed || !token.MatchesText(jobToken, job.Tokens...) {
		var err error
		if job, err = d.records.ReadJob(ctx, id); err != nil {
			return JobGrant{}, refused(err)
		}
		if !token.MatchesText(jobToken, job.Tokens...) {
			return JobGrant{}, ErrUnauthenticated
		}
	}
	worker, err := d.records.findWorker(ctx, job.WorkerID)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return JobGrant{}, err
	case worker.Revoked, job.Revoked: // the record of the worker may have expired
		return JobGrant{}, &record.RevokedError{Reason: worker.StopReason}
	}
	d.records.view(func(x *schedule.Index) { x.RenewJob(id, d.now()) })
	d.replicas.jobSeen(id)
	return JobGrant{
		JobID: id, BuildID: job.Build(), d: d, hash: token.HashOf(jobToken).String(),
		workerID: job.WorkerID, inHand: job.State.InHand(), registeredWith: worker.RegisteredWith,
	}, nil
}

// InHand fails with ErrUnauthenticated once the job has ended: its token is then
// good for its result and the missing chunks of its log only.
func (g JobGrant) InHand() error {
	if !g.inHand {
		return ErrUnauthenticated
	}
	return nil
}

// RegisteredWith returns the ID of the token with which the job's worker registered.
func (g JobGrant) RegisteredWith() string { return g.registeredWith }

// WorkerID returns the worker that has the job.
func (g JobGrant) WorkerID() string { return g.workerID }

// refused returns ErrUnauthenticated for a missing record, and any other error as
// it is.
func refused(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrUnauthenticated
	}
	return err
}

// Start records that the job runs, and revokes every other token of the job. at is
// the worker's clock, for the log only. It succeeds while the job runs. ErrNotFound;
// ErrUnauthenticated if the token was revoked or the job has ended.
func (g JobGrant) Start(ctx context.Context, at time.Time) error {
	_, err := g.d.records.changeJob(ctx, g.JobID, lifecycle.Event{
		Kind: lifecycle.Started, Actor: actorWorker, Token: g.hash,
	})
	if err == nil && !at.IsZero() {
		g.d.log.Debug("start reported by the agent", zap.String("job_id", g.JobID), zap.Time("at", at))
	}
	return err
}

// Finish records the job's result. The table of package lifecycle decides what it
// means: a job that its agent ended is retried like a lost one, and the result of a
// lost job is recorded late. Repeated with the same result it succeeds. ErrInvalid for
// a field that is not acceptable; ErrNotFound;
// ErrUnauthenticated if the token was revoked; ErrWrongState if the job has another
// result.
func (g JobGrant) Finish(ctx context.Context, reported wire.FinishRequest) error {
	logSize, logCut := g.d.logs.Size(ctx, g.JobID)
	result, err := resultOf(reported, logSize, logCut)
	if err != nil {
		return err
	}
	if reported.IgnoreAgent {
		if err := g.ignoreWorker(ctx); err != nil {
			return err
		}
	}
	d, overdue := g.d, false
	d.records.view(func(x *schedule.Index) { overdue = x.Overdue(g.JobID, d.now()) })
	// The agent may know better: this replica may not have seen the start.
	overdue = overdue || result.SignalReason == wire.ReasonTimedOut
	_, err = d.records.changeJob(ctx, g.JobID, lifecycle.Event{
		Kind: lifecycle.Finished, Actor: actorWorker, Token: g.hash, Result: result,
		Reason: wire.Ending(result.ExitStatus, result.Signal, result.SignalReason), Overdue: overdue, RetryID: newID(),
	})
	return err
}

// ignoreWorker has the job's worker assigned no further job. It is written before
// the end of the job, which makes the worker free.
func (g JobGrant) ignoreWorker(ctx context.Context) error {
	if !g.inHand {
		return nil // the job has ended; finishing it reports that
	}
	_, err := g.d.records.changeWorker(ctx, g.workerID, workerstate.Event{Kind: workerstate.LastJobAnnounced})
	if errors.Is(err, ErrNotFound) {
		return nil // its record has expired, so it is assigned nothing
	}
	return err
}

// SetMetadata sets keys of the meta-data of the job's build: see
// metadata.Store.Set. ErrUnauthenticated if the job has ended.
func (g JobGrant) SetMetadata(ctx context.Context, items ...metadata.Item) error {
	job, err := g.d.records.findJob(ctx, g.JobID)
	switch {
	case err != nil:
		return err
	case !job.State.InHand():
		return ErrUnauthenticated
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
