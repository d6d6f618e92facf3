package api

import (
	"context"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// RerunJob submits a job that has ended again. The new job is independent of it: it has
// the retries that the first job of the chain was submitted with, and a build of its own.
func (s *jobService) RerunJob(ctx context.Context, req *switchyardv1.RerunJobRequest) (*switchyardv1.RerunJobResponse, error) {
	if err := s.findJob(ctx, "running again", &req.Id); err != nil {
		return nil, err
	}
	op := operation{"running again", "job", req.GetId()}
	job, err := s.dispatcher.Job(ctx, req.GetId())
	if err != nil {
		return nil, s.failed(op, err)
	}
	if err := checkQueue(ctx, job.Queue); err != nil {
		return nil, err
	}
	switch {
	case !job.State.Final():
		return nil, codedError(connect.CodeFailedPrecondition, "%v: it is %s; only a job that has ended can be run again", op, job.State)
	case job.RetriedBy != "":
		return nil, codedError(connect.CodeFailedPrecondition, "%v: job %s retries it already", op, job.RetriedBy)
	}
	again, existed, err := s.dispatcher.Submit(ctx, record.Job{
		Command: job.Command, Env: job.Env, Queue: job.Queue, Tags: job.Tags, Priority: job.Priority, Timeout: job.Timeout, Limits: job.Limits,
		IdempotencyKey: req.GetIdempotencyKey(), Job: lifecycle.Job{RetriesLeft: job.RetryCount + job.RetriesLeft},
	})
	if err != nil {
		return nil, s.failed(op, err)
	}
	return &switchyardv1.RerunJobResponse{Job: s.message(again), Unchanged: existed}, nil
}
