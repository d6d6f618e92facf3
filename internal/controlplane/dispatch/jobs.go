package dispatch

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Job returns a job from the store. While its log may grow, LogSize is what has arrived.
// ErrNotFound.
func (d *Dispatcher) Job(ctx context.Context, id string) (record.Job, error) {
	job, err := d.records.ReadJob(ctx, id)
	if err == nil && d.logGrows(&job) {
		size, cut := d.logs.Size(ctx, id)
		job.LogSize, job.LogCut = max(job.LogSize, size), job.LogCut || cut
	}
	return job, err
}

// maxPrefixRounds bounds how often the index is read for the beginning of an ID.
const maxPrefixRounds = 64

// FindJob returns the ID of the only job, of one of the queues or of any if there are none,
// whose ID begins with ref. What is not the beginning of an ID is returned as it is.
// ErrNotFound; ErrInvalid for a beginning that several have.
func (d *Dispatcher) FindJob(ref string, queues []string) (string, error) {
	lists := schedule.JobsWithPrefix(ref, queues)
	if lists == nil {
		return ref, nil
	}
	var ids []string
	rounds := maxPrefixRounds
	for _, list := range lists {
		for ; list.Missing(0) > 0 && rounds > 0; rounds-- {
			d.records.view(func(x *schedule.Index) { ids = append(ids, x.NextJobs(list, list.Missing(0))...) })
			if len(ids) >= list.Missing(0) {
				break
			}
		}
	}
	if rounds == 0 {
		return "", record.Invalid("id", "is %q, with which too many IDs begin: use more of it", ref)
	}
	return schedule.OneOf(ref, "jobs", ids) //nolint:wrapcheck // the caller says what was attempted
}

// JobState returns the state of a job as the agents' wire has it: a running job
// that must end is canceling or timing_out. It reads memory if it can.
// ErrNotFound.
func (d *Dispatcher) JobState(ctx context.Context, jobID string) (wire.JobState, error) {
	job, err := d.records.findJob(ctx, jobID)
	return reportedState(job), err
}

// JobPage is one page of a list of jobs.
type JobPage struct {
	// Jobs are the jobs, without their history.
	Jobs []record.Job
	// Next is the token of the next page, empty if this is the last one.
	Next string
	// Total is how many jobs the list has on all pages, as far as this replica knows,
	// and Earlier how many of them are on the pages before this one. They are zero on a
	// page that is not the first, unless Page.Count is set.
	Total, Earlier int
}

const (
	// minListRead and maxListRead bound how many records are read from the store at a
	// time: few at first, since each can have 1 MiB, then more if they are small.
	minListRead = 16
	maxListRead = 256
)

// Jobs returns a page of jobs. The page ends early when its records have
// schedule.MaxPageBytes, so that it can have fewer jobs than were requested and still
// have a next page. What it returns matches the filter as read, whatever the index
// knew. ErrInvalid for a bad page or filter.
func (d *Dispatcher) Jobs(ctx context.Context, f schedule.JobFilter, p schedule.Page) (page JobPage, err error) {
	list, err := schedule.NewJobList(f, p)
	if err != nil {
		return page, err //nolint:wrapcheck // it names the field
	}
	if p.Token == "" || p.Count {
		page.Total, page.Earlier = d.countJobs(list), d.countJobs(list.Earlier())
	}
	size := 0
	for n := minListRead; size <= schedule.MaxPageBytes && list.Missing(len(page.Jobs)) > 0; n = min(2*n, maxListRead) {
		var ids []string
		d.records.view(func(x *schedule.Index) { ids = x.NextJobs(list, min(n, list.Missing(len(page.Jobs)))) })
		jobs, bytes, err := d.records.readJobs(ctx, ids)
		if err != nil {
			return JobPage{}, err
		}
		size += bytes
		for _, job := range jobs {
			if list.Matches(job.Summary()) {
				page.Jobs = append(page.Jobs, job)
			}
		}
	}
	page.Next = list.NextToken()
	return page, nil
}

// countJobs returns how many jobs a list has. It does not keep the index locked for
// long.
func (d *Dispatcher) countJobs(list *schedule.JobList) (total int) {
	for next := uuid.Nil; ; {
		n := 0
		d.records.view(func(x *schedule.Index) { n, next = x.CountJobs(list, next) })
		total += n
		if next == uuid.Nil {
			return total
		}
	}
}

// CanceledJob is a job after a request to cancel it. Unchanged is set if it was canceled,
// or is being canceled, for an earlier request.
type CanceledJob struct {
	record.Job

	Unchanged bool
}

// Cancel cancels a job that was not started, and requests the cancellation of a
// running one. It succeeds for a job that is canceled or being canceled.
// ErrNotFound; ErrInvalid for a reason that is too long; ErrWrongState, together
// with the job, for a job that ended otherwise.
func (d *Dispatcher) Cancel(ctx context.Context, id, reason string) (CanceledJob, error) {
	if err := validateReason(reason, false); err != nil {
		return CanceledJob{}, err
	}
	job, err := d.records.changeJob(ctx, id, lifecycle.Event{
		Kind: lifecycle.CancelRequested, Actor: actorOperator, Reason: reason,
	})
	if retry := job.record.RetriedBy; retry != "" && errors.Is(err, ErrWrongState) {
		err = wrongState("%v; job %s retries it", err, retry)
	}
	return CanceledJob{Job: job.record, Unchanged: !job.changed}, err
}

// Accept accepts the job that is assigned to the worker, and returns it with a job
// token. Repeated until the job is started, it is the same acceptance with one more
// valid token: tokens are stored as hashes and cannot be returned twice.
// ErrNotFound; ErrWrongState if the job is not assigned to the worker.
func (d *Dispatcher) Accept(ctx context.Context, workerID, jobID string) (record.Job, string, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return record.Job{}, "", err
	}
	worker, err := d.records.findWorker(ctx, workerID)
	if err != nil {
		return record.Job{}, "", err
	}
	return d.take(ctx, lifecycle.Accepted, worker, jobID)
}

// Acquire accepts a queued job that the worker itself names, of the worker's queue
// unless Options.AcquireAnyQueue is set. Repeatable like Accept. ErrNotFound;
// ErrWrongState if the job is not queued, is of another queue or requires tags that the
// worker does not have, if the worker is paused, draining or stopped, or if the queue is
// paused. The stored records decide, since another replica may have paused them just now.
func (d *Dispatcher) Acquire(ctx context.Context, workerID, jobID string) (record.Job, string, error) {
	if err := d.renew(ctx, workerID); err != nil {
		return record.Job{}, "", err
	}
	worker, err := d.records.readWorker(ctx, workerID)
	if err != nil {
		return record.Job{}, "", err
	}
	return d.take(ctx, lifecycle.Acquired, worker, jobID, func(job record.Job) error {
		switch {
		case job.State.InHand() && job.WorkerID == worker.ID:
			return nil // the response to the same request was lost
		case worker.State != workerstate.Available:
			return wrongState("worker %s is %s and takes no job", worker.Name, worker.State)
		case job.Queue != worker.Queue && !d.acquireAnyQueue:
			return wrongState("job %s is of queue %s, and worker %s of queue %s", job.ID, job.Queue, worker.Name, worker.Queue)
		case !wire.HasTags(worker.Tags, job.Tags):
			return wrongState("job %s requires tags that worker %s does not have: %s", job.ID, worker.Name, strings.Join(job.Tags, ", "))
		}
		return d.checkNotPaused(ctx, job.Queue)
	})
}

// take accepts a job for a worker with a new token.
func (d *Dispatcher) take(ctx context.Context, kind lifecycle.EventKind, worker record.Worker, jobID string,
	checks ...func(record.Job) error,
) (record.Job, string, error) {
	jobToken, hash := token.Job.New(jobID)
	reason := "asked for by its ID"
	if kind == lifecycle.Accepted {
		var route schedule.Route
		d.records.view(func(x *schedule.Index) { route = x.Route(jobID) })
		reason = describeRoute(route)
	}
	job, err := d.records.changeJob(ctx, jobID, lifecycle.Event{
		Kind: kind, Actor: actorWorker, WorkerID: worker.ID, WorkerName: worker.Name, Token: hash.String(), Reason: reason,
	}, checks...)
	return job.record, jobToken, err
}

// describeRoute returns how a job that was accepted had reached its worker, for
// people.
func describeRoute(r schedule.Route) string {
	switch {
	case r.Stream && r.Ping:
		return "offered on its stream and in the response to its ping"
	case r.Stream:
		return "offered on its stream"
	case r.Ping:
		return "offered in the response to its ping"
	}
	return "offered by another replica"
}

// reportedState returns the state of a job as the agents' wire has it: that of a
// running job which must end is canceling or timing_out.
func reportedState(job record.Job) wire.JobState {
	switch {
	case job.State != wire.StateRunning:
		return job.State
	case job.CancelRequested, job.StopRequested:
		return wire.StateCanceling
	case job.TimedOut:
		return wire.StateTimingOut
	}
	return job.State
}

// MaxLog returns the most bytes of the log of one job.
func (d *Dispatcher) MaxLog() uint64 { return d.logs.MaxSize() }
