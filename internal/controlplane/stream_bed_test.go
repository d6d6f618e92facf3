package controlplane_test

import (
	"context"
	"errors"
	"testing"

	"connectrpc.com/connect"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// stream is an open stream of a worker.
type stream struct {
	t        *testing.T
	received *connect.ServerStreamForClient[agentedgev1.StreamPingsResponse]
	cancel   context.CancelFunc
}

// open opens a stream with this token and worker ID.
func (b *bed) open(token, workerID string, options ...connect.ClientOption) *stream {
	b.t.Helper()
	client := agentedgev1connect.NewAgentEdgeServiceClient(b.client, b.URL(),
		append(options, authorization("Token "+token))...)
	ctx, cancel := context.WithTimeout(b.t.Context(), waitLimit)
	b.t.Cleanup(cancel)
	received, err := client.StreamPings(ctx, &agentedgev1.StreamPingsRequest{AgentId: workerID})
	if err != nil {
		b.t.Fatalf("opening a stream: %v", err)
	}
	return &stream{t: b.t, received: received, cancel: cancel}
}

// stream opens the stream of a worker.
func (b *bed) stream(w worker, options ...connect.ClientOption) *stream {
	b.t.Helper()
	return b.open(w.token, w.id, options...)
}

// next returns the next message as text: resume, pause REASON, disconnect REASON or
// job ID.
func (s *stream) next() string {
	s.t.Helper()
	if !s.received.Receive() {
		s.t.Fatalf("the stream ended with %v, want a message", s.received.Err())
	}
	switch action := s.received.Msg().GetAction().(type) {
	case *agentedgev1.StreamPingsResponse_Resume:
		return "resume"
	case *agentedgev1.StreamPingsResponse_Pause:
		return "pause " + action.Pause.GetReason()
	case *agentedgev1.StreamPingsResponse_Disconnect:
		return "disconnect " + action.Disconnect.GetReason()
	case *agentedgev1.StreamPingsResponse_JobAssigned:
		return "job " + action.JobAssigned.GetJob().GetId()
	default:
		s.t.Fatalf("message without an action: %v", s.received.Msg())
		return ""
	}
}

// expect checks the next message.
func (s *stream) expect(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Fatalf("received %q, want %q", got, want)
	}
}

// end reads the stream to its end and returns the error.
func (s *stream) end() *connect.Error {
	s.t.Helper()
	for s.received.Receive() { //nolint:revive // the messages are not needed
	}
	ended, ok := errors.AsType[*connect.Error](s.received.Err())
	if !ok {
		s.t.Fatalf("the stream ended with %v, want a coded error", s.received.Err())
	}
	return ended
}

// pause pauses a worker with the reason "new disk".
func (b *bed) pause(workerID string) {
	b.t.Helper()
	if _, err := b.workers.PauseWorker(b.t.Context(), &switchyardv1.PauseWorkerRequest{Id: workerID, Reason: "new disk"}); err != nil {
		b.t.Fatalf("pausing: %v", err)
	}
}

func (b *bed) resume(workerID string) {
	b.t.Helper()
	if _, err := b.workers.ResumeWorker(b.t.Context(), &switchyardv1.ResumeWorkerRequest{Id: workerID}); err != nil {
		b.t.Fatalf("resuming: %v", err)
	}
}
