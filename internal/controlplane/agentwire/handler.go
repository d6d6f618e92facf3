package agentwire

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// retryAfter is what a caller is asked to wait when the store does not answer.
const retryAfter = "1"

// Options say how agents are paced and let in. Every field is required.
type Options struct {
	// RegistrationToken is the hash of the token that lets an agent register.
	RegistrationToken token.Hash
	// PingInterval, HeartbeatInterval and JobStatusInterval are told to agents, in
	// whole seconds.
	PingInterval, HeartbeatInterval, JobStatusInterval time.Duration
	// NoStream switches the stream off: the endpoint returns Unimplemented.
	NoStream bool
	// KeepAlive is how long a stream is left without a message.
	KeepAlive time.Duration
	// StreamMaxAge is the age in whose last fifth a stream is ended as planned.
	StreamMaxAge time.Duration
	// Logger gets a line for each failure that is the server's own.
	Logger *zap.Logger
}

// Handler serves agents. Its methods may be called concurrently.
type Handler struct {
	dispatcher *dispatch.Dispatcher
	options    Options
}

// New makes a Handler. The dispatcher stays the caller's.
func New(dispatcher *dispatch.Dispatcher, options Options) *Handler {
	return &Handler{dispatcher: dispatcher, options: options}
}

// REST serves everything under Prefix.
func (h *Handler) REST() http.Handler { return h.restHandler() }

// Stream is the path of the stream's service and its handler. Its requests end
// with the stream, so a server must not bound them as a whole; when the server
// shuts down it cancels their contexts.
func (h *Handler) Stream() (path string, handler http.Handler) { return h.streamHandler() }

// serve authenticates a request, makes the route's call, and writes its answer.
func (h *Handler) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := h.authenticate(r, route.auth)
		var body any
		if err == nil {
			body, err = route.call(r, who)
		}
		switch {
		case err != nil:
			h.writeFailure(w, r, route, err)
		case body == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			writeJSON(w, http.StatusOK, body)
		}
	})
}

// writeFailure gives an error its status. What the store says stays in the log.
func (h *Handler) writeFailure(w http.ResponseWriter, r *http.Request, route route, err error) {
	failure, ok := errors.AsType[*httpError](err)
	switch {
	case ok:
		if failure.retryAfter != "" {
			w.Header().Set("Retry-After", failure.retryAfter)
		}
		writeError(w, failure.status, failure.message)
	case errors.Is(err, dispatch.ErrUnauthenticated):
		w.Header().Set("WWW-Authenticate", scheme)
		writeError(w, http.StatusUnauthorized, route.auth.refusal())
	case errors.Is(err, dispatch.ErrNotFound):
		writeError(w, http.StatusNotFound, "there is no such job or agent, or it is not yours")
	case errors.Is(err, dispatch.ErrWrongState):
		writeError(w, http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, dispatch.ErrInvalid):
		writeError(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, store.ErrTooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "the request is too large to be stored")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrConflict), errors.Is(err, dispatch.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		h.options.Logger.Warn("a call was not answered", zap.String("route", route.path), zap.Error(err))
		w.Header().Set("Retry-After", retryAfter)
		writeError(w, http.StatusServiceUnavailable, "the control plane cannot answer now; try again")
	default:
		h.options.Logger.Error("a call failed", zap.String("method", r.Method), zap.String("route", route.path), zap.Error(err))
		writeError(w, http.StatusInternalServerError, "internal error; the control plane's log says more")
	}
}
