package api

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// workerService implements switchyardv1connect.WorkerServiceHandler.
type workerService struct{ service }

// ListWorkers answers with a page of workers, newest first.
func (s *workerService) ListWorkers(ctx context.Context, req *switchyardv1.ListWorkersRequest) (
	*switchyardv1.ListWorkersResponse, error,
) {
	states, err := workerStatesOf(req.GetStates())
	if err != nil {
		return nil, err
	}
	filter := dispatch.WorkerFilter{States: states, Queue: req.GetQueue()}
	workers, next, err := s.dispatcher.Workers(ctx, filter, pageOf(req.GetPageSize(), req.GetPageToken()))
	if err != nil {
		return nil, s.coded("listing workers", err)
	}
	response := &switchyardv1.ListWorkersResponse{NextPageToken: next}
	for _, worker := range workers {
		response.Workers = append(response.Workers, workerMessage(worker))
	}
	return response, nil
}

// PauseWorker tells a worker to take no more work.
func (s *workerService) PauseWorker(ctx context.Context, req *switchyardv1.PauseWorkerRequest) (
	*switchyardv1.PauseWorkerResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	worker, err := s.dispatcher.Pause(ctx, req.GetId(), req.GetReason())
	if err != nil {
		return nil, s.coded(naming("pausing", "worker", req.GetId()), err)
	}
	return &switchyardv1.PauseWorkerResponse{Worker: workerMessage(worker)}, nil
}

// ResumeWorker lets a paused worker take work again.
func (s *workerService) ResumeWorker(ctx context.Context, req *switchyardv1.ResumeWorkerRequest) (
	*switchyardv1.ResumeWorkerResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	worker, err := s.dispatcher.Resume(ctx, req.GetId())
	if err != nil {
		return nil, s.coded(naming("resuming", "worker", req.GetId()), err)
	}
	return &switchyardv1.ResumeWorkerResponse{Worker: workerMessage(worker)}, nil
}

// StopWorker tells a worker to leave, once its job is over or, with force, at once.
func (s *workerService) StopWorker(ctx context.Context, req *switchyardv1.StopWorkerRequest) (
	*switchyardv1.StopWorkerResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	worker, err := s.dispatcher.Stop(ctx, req.GetId(), req.GetForce(), req.GetReason())
	if err != nil {
		return nil, s.coded(naming("stopping", "worker", req.GetId()), err)
	}
	return &switchyardv1.StopWorkerResponse{Worker: workerMessage(worker)}, nil
}
