package dispatch

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// Who causes a change, for the history of a job.
const (
	actorSubmitter    = "submitter"
	actorOperator     = "operator"
	actorWorker       = "worker"
	actorControlPlane = "control plane"
)

// jobAfter returns the record of a job after an event, which the table of package
// lifecycle decides. It fails with errUnchanged if the event changes nothing, and
// with ErrWrongState or ErrUnauthenticated if the table refuses the event.
//
// This function and workerAfter are the only ones that change what became of a
// stored job or worker; TestOnlyTheTablesChangeRecords checks it.
func jobAfter(job record.Job, ev lifecycle.Event) (record.Job, error) {
	next, decision := lifecycle.Next(job.Job, ev)
	switch {
	case decision.Refusal == lifecycle.TokenEnded:
		return job, ErrUnauthenticated
	case decision.Refusal != "":
		return job, wrongState("job %s is %s: %s", job.ID, job.State, decision.Refusal)
	case !decision.Changed:
		return job, errUnchanged
	}
	job.Job = next
	return job, nil
}

// workerAfter is jobAfter for a worker and the table of package workerstate.
func workerAfter(worker record.Worker, ev workerstate.Event) (record.Worker, error) {
	next, decision := workerstate.Next(worker.Worker, ev)
	switch {
	case decision.Refusal != "":
		return worker, wrongState("worker %s (%s): %s", worker.Name, worker.ID, decision.Refusal)
	case !decision.Changed:
		return worker, errUnchanged
	}
	worker.Worker = next
	return worker, nil
}

// newJob returns the record of a submitted job, not stored yet. Of job it uses the
// ID and what the submitter decides.
func newJob(job record.Job, ev lifecycle.Event) (record.Job, error) {
	return jobAfter(record.Job{
		ID: job.ID, Command: job.Command, Env: job.Env, Queue: job.Queue, Tags: job.Tags, Priority: job.Priority,
		Timeout: job.Timeout, Limits: job.Limits, IdempotencyKey: job.IdempotencyKey,
		BuildID: job.BuildID, RetryOf: job.RetryOf, RetryCount: job.RetryCount,
		TraceParent: job.TraceParent, TraceState: job.TraceState,
		Job: lifecycle.Job{RetriesLeft: job.RetriesLeft},
	}, ev)
}

// retryOf returns the job to submit as the retry of another one.
func retryOf(job record.Job) record.Job {
	return record.Job{
		ID: job.RetriedBy, Command: job.Command, Env: job.Env, Queue: job.Queue, Tags: job.Tags, Priority: job.Priority,
		Timeout: job.Timeout, Limits: job.Limits, BuildID: job.Build(), RetryOf: job.ID, RetryCount: job.RetryCount + 1,
		TraceParent: job.TraceParent, TraceState: job.TraceState,
		Job: lifecycle.Job{RetriesLeft: job.RetriesLeft - 1},
	}
}
