package agentwire

import (
	"cmp"
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

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
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

	// ageJitter is the part of StreamMaxAge, at its end, in which a stream ends at a
	// random moment, so that streams opened together do not end together.
	ageJitter = 0.2
)

// errKeepAliveDue ends a wait for an instruction when a keep-alive is due.
var errKeepAliveDue = errors.New("keep-alive is due")

// Stream returns the path of the stream's service and its handler, which serves
// gRPC, gRPC-Web and Connect. A request lasts as long as its stream: the server
// must set no time limit on it, and cancels its context when it shuts down.
func (h *Handler) Stream() (path string, handler http.Handler) {
	var service agentedgev1connect.AgentEdgeServiceHandler = agentedgev1connect.UnimplementedAgentEdgeServiceHandler{}
	if !h.options.NoStream {
		service = h
	}
	path, handler = agentedgev1connect.NewAgentEdgeServiceHandler(service,
		connect.WithReadMaxBytes(maxStreamRequestBytes), connect.WithCompressMinBytes(compressFrom))
	return path, h.authenticated(handler)
}

type streamWorkerKey struct{}

// authenticated returns a handler that refuses streams without the session token of
// a worker, before a byte of the request is read.
func (h *Handler) authenticated(next http.Handler) http.Handler {
	errorWriter := connect.NewErrorWriter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := h.workerOf(r.Context(), tokenOf(r.Header))
		if err == nil {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), streamWorkerKey{}, caller.workerID)))
			return
		}
		if errors.Is(err, dispatch.ErrUnauthenticated) {
			h.refused(r, "stream", err)
		}
		admission.LeaveBody(w, r)
		if err := errorWriter.Write(w, r, h.streamError(r.Context(), "", err)); err != nil {
			h.options.Logger.Debug("failed to write a response", zap.Error(err)) // the caller may have gone
		}
	})
}

// StreamPings implements agentedgev1connect.AgentEdgeServiceHandler. It sends the
// worker's standing instruction (resume, pause or disconnect) at once, then every
// instruction of the dispatcher. When nothing was sent for KeepAlive it repeats
// the standing instruction: a plain resume would resume a paused worker.
//
// At the stream's maximum age and at the server's shutdown it returns
// DeadlineExceeded, the planned end: the agent reconnects at once, possibly to
// another replica, and polls only if that fails. When a newer stream of the same
// worker supersedes this one it returns Aborted.
func (h *Handler) StreamPings(ctx context.Context, req *agentedgev1.StreamPingsRequest,
	stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	workerID, ok := ctx.Value(streamWorkerKey{}).(string)
	if !ok || workerID != req.GetAgentId() {
		return codedError(connect.CodePermissionDenied, "agent_id: the session token belongs to another worker")
	}
	feed, err := h.dispatcher.Attach(ctx, workerID)
	if err != nil {
		return h.streamError(ctx, workerID, err)
	}
	defer feed.Close()
	// With the interval an agent detects a proxy that responds to HTTP/2 PINGs but
	// forwards no message.
	stream.ResponseHeader().Set(wire.HeaderKeepAlive, strconv.Itoa(int(math.Ceil(h.options.KeepAlive.Seconds()))))

	ctx, cancel := context.WithTimeout(ctx, streamAge(h.options.StreamMaxAge))
	defer cancel()
	worker := feed.Worker()
	logger := h.options.Logger.With(
		zap.String("worker_id", worker.ID), zap.String("worker_name", worker.Name), zap.String("queue", worker.Queue),
	)
	logger.Info("stream opened")
	opened := time.Now()
	err = h.send(ctx, feed, stream)
	h.options.StreamEnded(streamEnd(ctx, err), time.Since(opened))
	logger.Info("stream closed", zap.Error(err))
	return err
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

// streamEnd returns why a stream ended with err.
func streamEnd(ctx context.Context, err error) string {
	failed, _ := errors.AsType[*connect.Error](err)
	switch code := connect.CodeOf(err); {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), failed != nil && failed.Meta().Get(wire.HeaderMove) != "":
		return endOfAge
	case ctx.Err() != nil, code == connect.CodeDeadlineExceeded, code == connect.CodeCanceled:
		return endOfConnection
	case code == connect.CodeAborted:
		return endSuperseded
	case code == connect.CodeUnauthenticated, code == connect.CodePermissionDenied:
		return endRefused
	}
	return endFailed
}

// send sends the feed's instructions and keep-alives until the stream ends.
func (h *Handler) send(ctx context.Context, feed *dispatch.Feed, stream *connect.ServerStream[agentedgev1.StreamPingsResponse]) error {
	for {
		next, err := nextInstruction(ctx, feed, h.options.KeepAlive)
		switch {
		case errors.Is(err, errKeepAliveDue):
			next = feed.Standing()
		case err != nil:
			return h.streamError(ctx, feed.Worker().ID, err)
		}
		if err := stream.Send(streamResponse(next)); err != nil {
			return fmt.Errorf("sending an instruction: %w", err)
		}
	}
}

// nextInstruction returns the next instruction of the feed. It returns
// errKeepAliveDue when there was none for the keep-alive interval.
func nextInstruction(ctx context.Context, feed *dispatch.Feed, keepAlive time.Duration) (wire.Instruction, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, keepAlive, errKeepAliveDue)
	defer cancel()
	return feed.Next(ctx) //nolint:wrapcheck // streamError turns it into a code and a message
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
	case ctx.Err() != nil, errors.Is(err, dispatch.ErrClosed):
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

// streamAge returns a uniformly random age in the last part of the maximum age.
func streamAge(maximum time.Duration) time.Duration {
	return maximum - time.Duration(rand.Float64()*ageJitter*float64(maximum)) //nolint:gosec // spreads load, protects nothing
}
