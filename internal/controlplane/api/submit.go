package api

import (
	"cmp"
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxSubmitJobs bounds the jobs of one SubmitJobs.
const maxSubmitJobs = 500

// submitting names the operation for errors.
func submitting() operation { return operation{verb: "submitting", noun: "a job"} }

// SubmitJob stores a job and returns after the record is on disk.
func (s *jobService) SubmitJob(ctx context.Context, req *switchyardv1.SubmitJobRequest) (
	*switchyardv1.SubmitJobResponse, error,
) {
	submission, err := permittedSubmission(ctx, req)
	if err != nil {
		return nil, err
	}
	job, existed, err := s.dispatcher.Submit(ctx, submission)
	if err != nil {
		return nil, s.failed(submitting(), err)
	}
	return &switchyardv1.SubmitJobResponse{Job: s.message(job), Existed: existed}, nil
}

// permittedSubmission returns the job of a request, if the caller may submit it.
func permittedSubmission(ctx context.Context, req *switchyardv1.SubmitJobRequest) (record.Job, error) {
	submission, err := submissionOf(req)
	if err != nil {
		return submission, err
	}
	span := tracecontext.Of(ctx)
	submission.TraceParent, submission.TraceState = span.TraceParent, span.TraceState
	return submission, checkQueue(ctx, cmp.Or(submission.Queue, wire.DefaultQueue))
}

// SubmitJobs stores jobs, each by itself, and returns what became of each.
func (s *jobService) SubmitJobs(ctx context.Context, req *switchyardv1.SubmitJobsRequest) (
	*switchyardv1.SubmitJobsResponse, error,
) {
	jobs := req.GetJobs()
	if len(jobs) == 0 || len(jobs) > maxSubmitJobs {
		return nil, invalid("jobs", "must have 1 to %d elements, not %d", maxSubmitJobs, len(jobs))
	}
	response := &switchyardv1.SubmitJobsResponse{Results: make([]*switchyardv1.SubmitJobsResult, len(jobs))}
	var submissions []record.Job
	var places []int // of the submissions in the request
	for i, job := range jobs {
		submission, err := permittedSubmission(ctx, job)
		if err != nil {
			response.Results[i] = refusedResult(err)
			continue
		}
		submissions, places = append(submissions, submission), append(places, i)
	}
	for i, submitted := range s.dispatcher.SubmitAll(ctx, submissions) {
		response.Results[places[i]] = s.submitResult(submitted)
	}
	return response, nil
}

func (s *jobService) submitResult(submitted dispatch.Submitted) *switchyardv1.SubmitJobsResult {
	if submitted.Err != nil {
		return refusedResult(s.failed(submitting(), submitted.Err))
	}
	return &switchyardv1.SubmitJobsResult{JobId: submitted.Job.ID, Existed: submitted.Existed}
}

// refusedResult returns the result for a coded error.
func refusedResult(err error) *switchyardv1.SubmitJobsResult {
	message := err.Error()
	if coded, ok := errors.AsType[*connect.Error](err); ok {
		message = coded.Message()
	}
	return &switchyardv1.SubmitJobsResult{Code: connect.CodeOf(err).String(), Message: message}
}
