package api

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// agentService implements switchyardv1connect.AgentServiceHandler.
type agentService struct{ service }

// ListAgents answers with a page of workers, newest first.
func (s *agentService) ListAgents(ctx context.Context, req *switchyardv1.ListAgentsRequest) (
	*switchyardv1.ListAgentsResponse, error,
) {
	states, err := agentStatesOf(req.GetStates())
	if err != nil {
		return nil, err
	}
	filter := dispatch.AgentFilter{States: states, Queue: req.GetQueue()}
	agents, next, err := s.dispatcher.Agents(ctx, filter, pageOf(req.GetPageSize(), req.GetPageToken()))
	if err != nil {
		return nil, s.coded("listing agents", err)
	}
	response := &switchyardv1.ListAgentsResponse{NextPageToken: next}
	for _, agent := range agents {
		response.Agents = append(response.Agents, agentMessage(agent))
	}
	return response, nil
}

// PauseAgent tells a worker to take no more work.
func (s *agentService) PauseAgent(ctx context.Context, req *switchyardv1.PauseAgentRequest) (
	*switchyardv1.PauseAgentResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	agent, err := s.dispatcher.Pause(ctx, req.GetId(), req.GetReason())
	if err != nil {
		return nil, s.coded(naming("pausing", "agent", req.GetId()), err)
	}
	return &switchyardv1.PauseAgentResponse{Agent: agentMessage(agent)}, nil
}

// ResumeAgent lets a paused worker take work again.
func (s *agentService) ResumeAgent(ctx context.Context, req *switchyardv1.ResumeAgentRequest) (
	*switchyardv1.ResumeAgentResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	agent, err := s.dispatcher.Resume(ctx, req.GetId())
	if err != nil {
		return nil, s.coded(naming("resuming", "agent", req.GetId()), err)
	}
	return &switchyardv1.ResumeAgentResponse{Agent: agentMessage(agent)}, nil
}

// StopAgent tells a worker to leave, once its job is over or, with force, at once.
func (s *agentService) StopAgent(ctx context.Context, req *switchyardv1.StopAgentRequest) (
	*switchyardv1.StopAgentResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	agent, err := s.dispatcher.Stop(ctx, req.GetId(), req.GetForce(), req.GetReason())
	if err != nil {
		return nil, s.coded(naming("stopping", "agent", req.GetId()), err)
	}
	return &switchyardv1.StopAgentResponse{Agent: agentMessage(agent)}, nil
}
