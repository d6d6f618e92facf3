package api

import (
	"context"
	"fmt"
	"iter"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// jobService implements switchyardv1connect.JobServiceHandler.
type jobService struct{ service }

// GetJob returns one job.
func (s *jobService) GetJob(ctx context.Context, req *switchyardv1.GetJobRequest) (*switchyardv1.GetJobResponse, error) {
	if err := s.findJob(ctx, "reading", &req.Id); err != nil {
		return nil, err
	}
	if req.GetShowSecrets() && access.Caller(ctx).Scope != access.Operate {
		return nil, codedError(connect.CodePermissionDenied, "show_secrets needs a token with the scope %s", access.Operate)
	}
	job, err := s.dispatcher.Job(ctx, req.GetId())
	if err != nil {
		return nil, s.failed(operation{"reading", "job", req.GetId()}, err)
	}
	if err := checkQueue(ctx, job.Queue); err != nil {
		return nil, err
	}
	message := s.message(job)
	addHistory(message, job.History)
	if req.GetShowSecrets() {
		message.Env = job.Env
	}
	return &switchyardv1.GetJobResponse{Job: message}, nil
}

// ListJobs returns a page of jobs.
func (s *jobService) ListJobs(ctx context.Context, req *switchyardv1.ListJobsRequest) (
	*switchyardv1.ListJobsResponse, error,
) {
	states, err := jobStates(req.GetStates())
	if err != nil {
		return nil, err
	}
	outcomes, err := jobOutcomes(req.GetOutcomes())
	if err != nil {
		return nil, err
	}
	filter := schedule.JobFilter{States: states, Outcomes: outcomes, Queue: req.GetQueue(), WorkerID: req.GetWorkerId()}
	if filter.Since, err = momentOf("since", req.GetSince()); err != nil {
		return nil, err
	}
	if filter.Until, err = momentOf("until", req.GetUntil()); err != nil {
		return nil, err
	}
	page, err := pageOf(req)
	if err != nil {
		return nil, err
	}
	page.Count = req.GetCount()
	found, err := s.dispatcher.Jobs(ctx, filter, page)
	if err != nil {
		return nil, s.failed(operation{verb: listing, noun: "jobs"}, err)
	}
	response := &switchyardv1.ListJobsResponse{NextPageToken: found.Next, Total: int64(found.Total), Earlier: int64(found.Earlier)}
	for _, job := range found.Jobs {
		response.Jobs = append(response.Jobs, s.message(job))
	}
	return response, nil
}

// CancelJob removes a job from its queue, or tells its worker to end it.
func (s *jobService) CancelJob(ctx context.Context, req *switchyardv1.CancelJobRequest) (
	*switchyardv1.CancelJobResponse, error,
) {
	if err := s.findJob(ctx, "canceling", &req.Id); err != nil {
		return nil, err
	}
	if err := s.checkJobQueue(ctx, operation{"canceling", "job", req.GetId()}); err != nil {
		return nil, err
	}
	job, err := s.dispatcher.Cancel(ctx, req.GetId(), req.GetReason())
	if err != nil {
		return nil, s.failed(operation{"canceling", "job", req.GetId()}, err)
	}
	return &switchyardv1.CancelJobResponse{Job: s.message(job.Job), Unchanged: job.Unchanged}, nil
}

// FollowJob sends the job, its changes and its log until it has ended. When the
// server shuts down it returns Unavailable, so that the caller follows again from
// the log offset that it has reached. The server drops a caller that leaves a message
// unread for 20 s.
func (s *jobService) FollowJob(ctx context.Context, req *switchyardv1.FollowJobRequest,
	stream *connect.ServerStream[switchyardv1.FollowJobResponse],
) error {
	for event, err := range s.follow(ctx, req) {
		if err != nil {
			return err
		}
		if err := stream.Send(event); err != nil {
			s.logger.Info("follower dropped: it has left, or did not read what was sent",
				zap.String("job_id", req.GetId()), zap.Error(err))
			return fmt.Errorf("sending an event: %w", err)
		}
	}
	return nil
}

// follow returns the events of FollowJob. An error is the last item.
func (s *jobService) follow(ctx context.Context, req *switchyardv1.FollowJobRequest) iter.Seq2[*switchyardv1.FollowJobResponse, error] {
	return func(yield func(*switchyardv1.FollowJobResponse, error) bool) {
		if err := s.findJob(ctx, "following", &req.Id); err != nil {
			yield(nil, err)
			return
		}
		op := operation{"following", "job", req.GetId()}
		if err := s.checkJobQueue(ctx, op); err != nil {
			yield(nil, err)
			return
		}
		options := joblog.Options{LogOffset: req.GetLogOffset(), OmitLog: req.GetOmitLog(), NoWait: req.GetNoWait()}
		for event, err := range s.dispatcher.Follow(ctx, req.GetId(), options) {
			if err != nil {
				yield(nil, s.failed(op, err))
				return
			}
			if !yield(eventMessage(event), nil) {
				return
			}
		}
	}
}

func (s *jobService) message(job record.Job) *switchyardv1.Job {
	return jobMessage(job, s.dispatcher.WaitingReason(job))
}

// DeleteJob deletes a job that has ended, or its log.
func (s *jobService) DeleteJob(ctx context.Context, req *switchyardv1.DeleteJobRequest) (*switchyardv1.DeleteJobResponse, error) {
	if err := s.findJob(ctx, "deleting", &req.Id); err != nil {
		return nil, err
	}
	response := &switchyardv1.DeleteJobResponse{Id: req.GetId()}
	if req.GetLogOnly() {
		deletion, err := s.dispatcher.DeleteLog(ctx, req.GetId(), access.Caller(ctx).Name)
		if err != nil {
			return nil, s.failed(operation{"deleting the log of", "job", req.GetId()}, err)
		}
		response.LogDeletion, response.LogBytes, response.Unchanged = deletionMessage(&deletion.Deletion), deletion.Bytes, deletion.Unchanged
		return response, nil
	}
	var err error
	if response.LogBytes, err = s.dispatcher.Delete(ctx, req.GetId()); err != nil {
		return nil, s.failed(operation{"deleting", "job", req.GetId()}, err)
	}
	return response, nil
}
