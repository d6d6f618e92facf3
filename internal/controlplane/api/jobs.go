package api

import (
	"context"
	"fmt"
	"strconv"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// jobService implements switchyardv1connect.JobServiceHandler.
type jobService struct{ service }

// SubmitJob stores a job and answers once it is safe.
func (s *jobService) SubmitJob(ctx context.Context, req *switchyardv1.SubmitJobRequest) (
	*switchyardv1.SubmitJobResponse, error,
) {
	submission, err := submissionOf(req)
	if err != nil {
		return nil, err
	}
	job, existed, err := s.dispatcher.Submit(ctx, submission)
	if err != nil {
		return nil, s.coded("submitting a job", err)
	}
	return &switchyardv1.SubmitJobResponse{Job: s.job(job), Existed: existed}, nil
}

// GetJob answers with one job.
func (s *jobService) GetJob(ctx context.Context, req *switchyardv1.GetJobRequest) (*switchyardv1.GetJobResponse, error) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	job, err := s.dispatcher.Job(ctx, req.GetId())
	if err != nil {
		return nil, s.coded(naming("reading", "job", req.GetId()), err)
	}
	return &switchyardv1.GetJobResponse{Job: s.job(job)}, nil
}

// ListJobs answers with a page of jobs, newest first.
func (s *jobService) ListJobs(ctx context.Context, req *switchyardv1.ListJobsRequest) (
	*switchyardv1.ListJobsResponse, error,
) {
	states, err := jobStatesOf(req.GetStates())
	if err != nil {
		return nil, err
	}
	filter := dispatch.JobFilter{States: states, Queue: req.GetQueue(), WorkerID: req.GetWorkerId()}
	jobs, next, err := s.dispatcher.Jobs(ctx, filter, pageOf(req.GetPageSize(), req.GetPageToken()))
	if err != nil {
		return nil, s.coded("listing jobs", err)
	}
	response := &switchyardv1.ListJobsResponse{NextPageToken: next}
	for _, job := range jobs {
		response.Jobs = append(response.Jobs, s.job(job))
	}
	return response, nil
}

// CancelJob takes a job out of its queue, or has it stopped by its worker.
func (s *jobService) CancelJob(ctx context.Context, req *switchyardv1.CancelJobRequest) (
	*switchyardv1.CancelJobResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	job, err := s.dispatcher.Cancel(ctx, req.GetId(), req.GetReason())
	if err != nil {
		return nil, s.coded(naming("canceling", "job", req.GetId()), err)
	}
	return &switchyardv1.CancelJobResponse{Job: s.job(job)}, nil
}

// FollowJob sends the job, its changes and its log until it has ended. When the
// server shuts down it ends with Unavailable, so that the caller follows again
// from the offset that it has reached.
func (s *jobService) FollowJob(ctx context.Context, req *switchyardv1.FollowJobRequest,
	stream *connect.ServerStream[switchyardv1.FollowJobResponse],
) error {
	if err := checkID(req.GetId()); err != nil {
		return err
	}
	options := dispatch.FollowOptions{LogOffset: req.GetLogOffset(), OmitLog: req.GetOmitLog(), NoWait: req.GetNoWait()}
	for event, err := range s.dispatcher.Follow(ctx, req.GetId(), options) {
		if err != nil {
			return s.coded(naming("following", "job", req.GetId()), err)
		}
		if err := stream.Send(followed(event)); err != nil {
			return fmt.Errorf("sending an event: %w", err)
		}
	}
	return nil
}

func followed(event dispatch.Event) *switchyardv1.FollowJobResponse {
	if event.Job != nil {
		return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Job{Job: jobMessage(*event.Job, event.Waits)}}
	}
	return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{Log: &switchyardv1.LogChunk{
		Offset: event.Log.Offset, Data: event.Log.Data, Missing: event.Log.Missing,
		ReceivedAt: timestamp(event.Log.ReceivedAt),
	}}}
}

func (s *jobService) job(job store.Job) *switchyardv1.Job {
	return jobMessage(job, s.dispatcher.WaitingReason(job))
}

// naming says what was asked of what, with the id quoted and bounded.
func naming(doing, what, id string) string {
	return doing + " " + what + " " + strconv.Quote(id)
}
