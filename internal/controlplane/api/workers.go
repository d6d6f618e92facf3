package api

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workerService implements switchyardv1connect.WorkerServiceHandler.
type workerService struct {
	service

	// tokenName returns the name of the token of an ID, or "".
	tokenName func(id string) string
}

// message returns the message for a worker.
func (s *workerService) message(worker schedule.Worker) *switchyardv1.Worker {
	message := workerMessage(worker)
	message.RegistrationTokenName = s.tokenName(message.GetRegistrationTokenId())
	return message
}

// ListWorkers returns a page of workers.
func (s *workerService) ListWorkers(ctx context.Context, req *switchyardv1.ListWorkersRequest) (
	*switchyardv1.ListWorkersResponse, error,
) {
	states, err := workerStates(req.GetStates())
	if err != nil {
		return nil, err
	}
	filter := schedule.WorkerFilter{States: states, Queue: req.GetQueue()}
	page, err := pageOf(req)
	if err != nil {
		return nil, err
	}
	found, err := s.dispatcher.Workers(ctx, filter, page)
	if err != nil {
		return nil, s.failed(operation{verb: listing, noun: "workers"}, err)
	}
	response := &switchyardv1.ListWorkersResponse{NextPageToken: found.Next, Total: int64(found.Total), Earlier: int64(found.Earlier)}
	for _, worker := range found.Workers {
		response.Workers = append(response.Workers, s.message(worker))
	}
	return response, nil
}

// GetWorker returns one worker.
func (s *workerService) GetWorker(ctx context.Context, req *switchyardv1.GetWorkerRequest) (*switchyardv1.GetWorkerResponse, error) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	worker, err := s.dispatcher.Worker(ctx, req.GetId())
	if err != nil {
		return nil, s.failed(operation{"showing", "worker", req.GetId()}, err)
	}
	return &switchyardv1.GetWorkerResponse{Worker: s.message(worker)}, nil
}

// PauseWorker stops a worker from taking jobs until it is resumed.
func (s *workerService) PauseWorker(ctx context.Context, req *switchyardv1.PauseWorkerRequest) (
	*switchyardv1.PauseWorkerResponse, error,
) {
	worker, unchanged, err := s.change("pausing", req.GetId(), func(id string) (dispatch.ControlledWorker, error) {
		return s.dispatcher.Pause(ctx, id, req.GetReason(), workerstate.ByOperator)
	})
	return &switchyardv1.PauseWorkerResponse{Worker: worker, Unchanged: unchanged}, err
}

// ResumeWorker lets a paused worker take jobs again.
func (s *workerService) ResumeWorker(ctx context.Context, req *switchyardv1.ResumeWorkerRequest) (
	*switchyardv1.ResumeWorkerResponse, error,
) {
	worker, unchanged, err := s.change("resuming", req.GetId(), func(id string) (dispatch.ControlledWorker, error) {
		return s.dispatcher.Resume(ctx, id, workerstate.ByOperator)
	})
	return &switchyardv1.ResumeWorkerResponse{Worker: worker, Unchanged: unchanged}, err
}

// StopWorker drains a worker; with force its running job is canceled.
func (s *workerService) StopWorker(ctx context.Context, req *switchyardv1.StopWorkerRequest) (
	*switchyardv1.StopWorkerResponse, error,
) {
	worker, unchanged, err := s.change("stopping", req.GetId(), func(id string) (dispatch.ControlledWorker, error) {
		return s.dispatcher.Stop(ctx, id, dispatch.Stopping{Force: req.GetForce(), NoRetry: req.GetNoRetry(), Reason: req.GetReason()})
	})
	return &switchyardv1.StopWorkerResponse{Worker: worker, Unchanged: unchanged}, err
}

// RevokeWorker turns a worker away for good.
func (s *workerService) RevokeWorker(ctx context.Context, req *switchyardv1.RevokeWorkerRequest) (
	*switchyardv1.RevokeWorkerResponse, error,
) {
	worker, unchanged, err := s.change("revoking", req.GetId(), func(id string) (dispatch.ControlledWorker, error) {
		return s.dispatcher.Revoke(ctx, id, req.GetReason())
	})
	return &switchyardv1.RevokeWorkerResponse{Worker: worker, Unchanged: unchanged}, err
}

// change applies an operation to the worker with this ID or name. It reports whether
// the operation had no effect.
func (s *workerService) change(verb, id string, apply func(id string) (dispatch.ControlledWorker, error)) (
	_ *switchyardv1.Worker, unchanged bool, err error,
) {
	if err := checkID(id); err != nil {
		return nil, false, err
	}
	worker, err := apply(id)
	if err != nil {
		return nil, false, s.failed(operation{verb, "worker", id}, err)
	}
	return s.message(worker.Worker), worker.Unchanged, nil
}
