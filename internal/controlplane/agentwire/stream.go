package agentwire

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

const (
	// maxStreamRequestBytes bounds the one request message, which holds an ID.
	maxStreamRequestBytes = 4 << 10

	// compressFrom is the size, in bytes, from which a message is compressed. Most
	// messages are a few dozen bytes, which gzip makes longer.
	compressFrom = 1 << 10
)

// Stream returns the path of the stream's service and its handler, which serves
// gRPC, gRPC-Web and Connect. A response lasts as long as its stream, and goes on after the
// handler has returned: the handler must be served by detach.Handler, without a time limit.
// Streams end with those of the dispatcher.
func (h *Handler) Stream() (path string, handler http.Handler) {
	var service agentedgev1connect.AgentEdgeServiceHandler = agentedgev1connect.UnimplementedAgentEdgeServiceHandler{}
	if !h.options.NoStream {
		service = h
	}
	path, handler = agentedgev1connect.NewAgentEdgeServiceHandler(service,
		connect.WithReadMaxBytes(maxStreamRequestBytes), connect.WithCompressMinBytes(compressFrom))
	return path, h.authenticated(handler)
}

// streamCaller is the worker that opens a stream, the response of the stream, and the phase
// of the keep-alives of its connection.
type streamCaller struct {
	workerID string
	response *detach.Response
	phase    time.Duration
}

type streamCallerKey struct{}

// authenticated returns a handler that refuses streams without the session token of
// a worker, before a byte of the request is read.
func (h *Handler) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		workerID, err := h.streamWorker(r)
		if err != nil {
			h.refuseStream(w, r, err)
			return
		}
		caller := streamCaller{workerID: workerID, response: detach.Of(w), phase: h.phaseOf(r.RemoteAddr)}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), streamCallerKey{}, caller)))
	})
}

// streamWorker returns the ID of the worker that opens a stream.
func (h *Handler) streamWorker(r *http.Request) (string, error) {
	caller, err := h.workerOf(r.Context(), tokenOf(r.Header))
	return caller.workerID, err
}

// refuseStream writes the response to a stream that is refused with err.
func (h *Handler) refuseStream(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, dispatch.ErrUnauthenticated) {
		h.refused(r, r.URL.Path, err)
	}
	admission.LeaveBody(w, r)
	if err := h.errorWriter.Write(w, r, h.streamError(r.Context(), "", err)); err != nil {
		h.options.Logger.Debug("failed to write a response", zap.Error(err)) // the caller may have gone
	}
}

// StreamPings implements agentedgev1connect.AgentEdgeServiceHandler. It opens a stream,
// which goes on after it has returned: the worker's standing instruction (resume, pause or
// disconnect) at once, then every instruction of the dispatcher. After KeepAlive without a
// message, or earlier, the standing instruction is repeated: a plain resume would resume a
// paused worker.
//
// At its maximum age and at the server's shutdown the stream ends with DeadlineExceeded,
// the planned end: the agent reconnects at once, possibly to another replica, and polls
// only if that fails. When a newer stream of the same worker supersedes it, it ends with
// Aborted.
func (h *Handler) StreamPings(ctx context.Context, req *agentedgev1.StreamPingsRequest,
	stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	caller, ok := ctx.Value(streamCallerKey{}).(streamCaller)
	if !ok || caller.workerID != req.GetAgentId() {
		return codedError(connect.CodePermissionDenied, "agent_id: the session token belongs to another worker")
	}
	return h.openStream(ctx, caller, stream)
}

// Why a stream ended.
const (
	endOfAge        = "age"          // the planned end
	endOfConnection = "disconnected" // the worker has gone, or the server shuts down
	endSuperseded   = "superseded"   // by a newer stream of the worker
	endRefused      = "refused"      // the worker was revoked, or its record has expired
	endFailed       = "failed"
)

// StreamEnds returns every reason of the end of a stream.
func StreamEnds() []string {
	return []string{endOfAge, endOfConnection, endSuperseded, endRefused, endFailed}
}

// streamEnd returns why a stream ended with err; cause is the reason of the control plane,
// if it is one.
func streamEnd(cause, err error) string {
	switch code := connect.CodeOf(err); {
	case errors.Is(cause, errOfAge), errors.Is(cause, dispatch.ErrMoved):
		return endOfAge
	case errors.Is(cause, errGone), code == connect.CodeDeadlineExceeded, code == connect.CodeCanceled:
		return endOfConnection
	case code == connect.CodeAborted:
		return endSuperseded
	case code == connect.CodeUnauthenticated, code == connect.CodePermissionDenied:
		return endRefused
	}
	return endFailed
}

// streamError returns the code and message with which a stream ends after err.
func (h *Handler) streamError(ctx context.Context, workerID string, err error) error {
	switch {
	case errors.Is(err, dispatch.ErrSuperseded):
		return codedError(connect.CodeAborted, "superseded by a newer stream of this worker")
	case errors.Is(err, dispatch.ErrMoved):
		moved := connect.NewError(connect.CodeDeadlineExceeded, errors.New("planned end: other replicas have fewer streams; connect again"))
		moved.Meta().Set(wire.HeaderMove, "1")
		return moved //nolint:wrapcheck // it is created here
	case errors.Is(err, dispatch.ErrUnauthenticated):
		reason, _ := reasonOf(err)
		return codedError(connect.CodeUnauthenticated, cmp.Or(reason, "missing or unknown session token"))
	case errors.Is(err, dispatch.ErrNotFound):
		return codedError(connect.CodeUnauthenticated, "unknown worker; register again")
	case errors.Is(err, dispatch.ErrWrongState):
		return codedError(connect.CodePermissionDenied, "the worker has disconnected; register again")
	case ctx.Err() != nil, errors.Is(err, dispatch.ErrClosed), errors.Is(err, errOfAge), errors.Is(err, errGone):
		return codedError(connect.CodeDeadlineExceeded, "planned end of the stream; connect again")
	default:
		h.options.Logger.Warn("stream failed", zap.String("worker_id", workerID), zap.Error(err))
		unavailable := connect.NewError(connect.CodeUnavailable, errors.New("the control plane cannot serve the stream now; try again"))
		unavailable.Meta().Set(headerRetryAfter, storeRetryAfter())
		return unavailable //nolint:wrapcheck // it is created here
	}
}

func codedError(code connect.Code, message string) error {
	return connect.NewError(code, errors.New(message)) //nolint:wrapcheck // it is created here
}

// streamResponse returns the message for an instruction.
func streamResponse(next wire.Instruction) *agentedgev1.StreamPingsResponse {
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
