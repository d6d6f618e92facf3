package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

const procedure = agentedgev1connect.AgentEdgeServiceStreamPingsProcedure

type (
	streamOut = connect.ServerStream[agentedgev1.StreamPingsResponse]
	// serve handles one stream.
	serve func(ctx context.Context, out *streamOut) error
)

// streamServer is a control plane's stream endpoint: each connection is handled by the
// next function, and the last one handles the rest.
type streamServer struct {
	mu      sync.Mutex
	streams []serve
	opened  int
	agents  []string
	headers []http.Header
	protos  []string
}

func (e *streamServer) StreamPings(ctx context.Context, request *agentedgev1.StreamPingsRequest, out *streamOut) error {
	info, _ := connect.CallInfoForHandlerContext(ctx)
	e.mu.Lock()
	next := e.streams[min(e.opened, len(e.streams)-1)]
	e.opened++
	e.agents = append(e.agents, request.GetAgentId())
	e.headers = append(e.headers, info.RequestHeader())
	e.mu.Unlock()
	return next(ctx, out)
}

func (e *streamServer) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened
}

// protocols returns the protocol of each stream.
func (e *streamServer) protocols() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.protos, " ")
}

// newStreamServer returns a control plane that only registers workers and has streams.
func newStreamServer(streams ...serve) (*streamServer, http.Handler) {
	service := &streamServer{streams: streams}
	path, handler := agentedgev1connect.NewAgentEdgeServiceHandler(service)
	mux := http.NewServeMux()
	mux.Handle("POST /v3/register", reply(http.StatusOK, registerAnswer))
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		service.mu.Lock()
		service.protos = append(service.protos, r.Proto)
		service.mu.Unlock()
		handler.ServeHTTP(w, r)
	})
	return service, mux
}

// The parts of a stream.

func send(messages ...*agentedgev1.StreamPingsResponse) serve {
	return func(_ context.Context, out *streamOut) error {
		for _, message := range messages {
			if err := out.Send(message); err != nil {
				return err
			}
		}
		return nil
	}
}

func hold(ctx context.Context, _ *streamOut) error {
	<-ctx.Done()
	return ctx.Err()
}

func failWith(code connect.Code) serve {
	return func(context.Context, *streamOut) error { return connect.NewError(code, errors.New("the reason")) }
}

func wait(d time.Duration) serve {
	return func(ctx context.Context, _ *streamOut) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func repeat(times int, what serve) serve {
	return func(ctx context.Context, out *streamOut) error {
		for range times {
			if err := what(ctx, out); err != nil {
				return err
			}
		}
		return nil
	}
}

func inOrder(steps ...serve) serve {
	return func(ctx context.Context, out *streamOut) error {
		for _, step := range steps {
			if err := step(ctx, out); err != nil {
				return err
			}
		}
		return nil
	}
}

// The messages.

func resume() *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{Resume: &agentedgev1.ResumeAction{}}}
}

func pause(reason string) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Pause{Pause: &agentedgev1.PauseAction{Reason: reason}}}
}

func disconnect(reason string) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Disconnect{Disconnect: &agentedgev1.DisconnectAction{Reason: reason}}}
}

func assign(job *agentedgev1.Job) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{JobAssigned: &agentedgev1.JobAssignedAction{Job: job}}}
}

// unknownAction returns a message with an action that this version does not know.
func unknownAction() *agentedgev1.StreamPingsResponse {
	message := &agentedgev1.StreamPingsResponse{}
	message.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 9, protowire.BytesType), "dance"))
	return message
}
