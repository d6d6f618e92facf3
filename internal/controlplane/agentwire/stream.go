package agentwire

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// maxStreamRequestBytes bounds the one message of a stream's request, an id.
	maxStreamRequestBytes = 4 << 10

	// compressFrom is the size, in bytes, of a message that is worth compressing:
	// most are a few dozen bytes, that gzip makes longer and later.
	compressFrom = 1 << 10

	// ageJitter is the last part of a stream's greatest age in which its planned
	// end falls, so that streams opened together do not end together.
	ageJitter = 0.2
)

// errQuiet ends a wait for an instruction when a keep-alive is due.
var errQuiet = errors.New("nothing was sent for the keep-alive interval")

// streamHandler serves the stream over gRPC, gRPC-Web and Connect, and with
// streams switched off answers Unimplemented over each of them.
func (h *Handler) streamHandler() (string, http.Handler) {
	var service agentedgev1connect.AgentEdgeServiceHandler = agentedgev1connect.UnimplementedAgentEdgeServiceHandler{}
	if !h.options.NoStream {
		service = h
	}
	return agentedgev1connect.NewAgentEdgeServiceHandler(service,
		connect.WithReadMaxBytes(maxStreamRequestBytes), connect.WithCompressMinBytes(compressFrom))
}

// StreamPings implements agentedgev1connect.AgentEdgeServiceHandler. It sends the
// standing instruction at once, then what the dispatcher has for the worker, and
// the standing instruction again whenever it was quiet for the keep-alive
// interval: a keep-alive that said resume to a paused worker would resume it.
//
// It ends with DeadlineExceeded, the planned end, at the stream's greatest age and
// when the server shuts down: either way the worker should connect again at once,
// to another replica or to this one's successor, and polls only if that fails.
// A stream that another one of the same worker superseded ends with Aborted.
func (h *Handler) StreamPings(ctx context.Context, req *agentedgev1.StreamPingsRequest,
	stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	workerID, err := h.streamCaller(ctx, req)
	if err != nil {
		return err
	}
	feed, err := h.dispatcher.Attach(ctx, workerID)
	if err != nil {
		return h.streamError(ctx, workerID, err)
	}
	defer feed.Close()
	// An agent that knows how often to expect a message notices a proxy that
	// answers PINGs and forwards nothing.
	stream.ResponseHeader().Set(transport.KeepAliveHeader, strconv.Itoa(int(math.Ceil(h.options.KeepAlive.Seconds()))))

	ctx, cancel := context.WithTimeout(ctx, streamAge(h.options.StreamMaxAge))
	defer cancel()
	for {
		next, err := nextInstruction(ctx, feed, h.options.KeepAlive)
		switch {
		case errors.Is(err, errQuiet):
			next = feed.Standing()
		case err != nil:
			return h.streamError(ctx, workerID, err)
		}
		if err := stream.Send(response(next)); err != nil {
			return fmt.Errorf("sending an instruction: %w", err)
		}
	}
}

// streamCaller is the worker whose stream this is, by its session token.
func (h *Handler) streamCaller(ctx context.Context, req *agentedgev1.StreamPingsRequest) (string, error) {
	var authorization string
	if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
		authorization = info.RequestHeader().Get("Authorization")
	}
	caller, err := h.sessionOf(ctx, token.Present(authorization, scheme))
	if err != nil {
		return "", h.streamError(ctx, "", err)
	}
	if caller.workerID != req.GetAgentId() {
		return "", ended(connect.CodePermissionDenied, "agent_id: the session token is not that worker's")
	}
	return caller.workerID, nil
}

// nextInstruction waits for the dispatcher's next instruction, or for quiet.
func nextInstruction(ctx context.Context, feed *dispatch.Feed, quiet time.Duration) (wire.Instruction, error) {
	wait, cancel := context.WithTimeoutCause(ctx, quiet, errQuiet)
	defer cancel()
	return feed.Next(wait) //nolint:wrapcheck // streamError words it
}

// streamError gives the end of a stream its code.
func (h *Handler) streamError(ctx context.Context, workerID string, err error) error {
	switch {
	case errors.Is(err, dispatch.ErrSuperseded):
		return ended(connect.CodeAborted, "another stream of this worker superseded this one")
	case errors.Is(err, dispatch.ErrUnauthenticated):
		return ended(connect.CodeUnauthenticated, "the session token is not known here")
	case errors.Is(err, dispatch.ErrNotFound):
		return ended(connect.CodeUnauthenticated, "the worker is not registered here; it must register anew")
	case errors.Is(err, dispatch.ErrWrongState):
		return ended(connect.CodePermissionDenied, "the worker has left; it must register anew")
	case ctx.Err() != nil, errors.Is(err, dispatch.ErrClosed):
		return ended(connect.CodeDeadlineExceeded, "planned end of the stream: connect again")
	default:
		h.options.Logger.Warn("a stream failed", zap.String("agent", workerID), zap.Error(err))
		return ended(connect.CodeUnavailable, "the control plane cannot serve the stream now")
	}
}

// ended is the end of a stream.
func ended(code connect.Code, message string) error {
	return connect.NewError(code, errors.New(message)) //nolint:wrapcheck // it is made here
}

// response is an instruction as the wire spells it.
func response(next wire.Instruction) *agentedgev1.StreamPingsResponse {
	switch next.Kind {
	case wire.Pause:
		return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Pause{
			Pause: &agentedgev1.PauseAction{Reason: next.Reason},
		}}
	case wire.Disconnect:
		return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Disconnect{
			Disconnect: &agentedgev1.DisconnectAction{Reason: next.Reason},
		}}
	case wire.JobAssigned:
		return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{
			JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: next.JobID}},
		}}
	case wire.Resume:
	}
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{
		Resume: &agentedgev1.ResumeAction{},
	}}
}

// streamAge is a uniformly random moment in the last part of the greatest age.
func streamAge(greatest time.Duration) time.Duration {
	return greatest - time.Duration(rand.Float64()*ageJitter*float64(greatest)) //nolint:gosec // spreading load, not hiding it
}
