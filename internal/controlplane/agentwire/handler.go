package agentwire

import (
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// Options are the settings of a Handler. Every field but NoStream is required.
type Options struct {
	// RegistrationToken is the hash of the token with which agents register. It may be
	// replaced at any time.
	RegistrationToken *token.Current
	// PingInterval, HeartbeatInterval and JobStatusInterval are sent to agents when
	// they register, in whole seconds.
	PingInterval, HeartbeatInterval, JobStatusInterval time.Duration
	// NoStream switches the stream off: the endpoint returns Unimplemented.
	NoStream bool
	// KeepAlive is the longest time between two messages of a stream.
	KeepAlive time.Duration
	// StreamMaxAge is the longest life of a stream. Each stream ends at a random
	// moment in the last fifth of it.
	StreamMaxAge time.Duration
	// Logger receives one line for each request that fails on the server's side.
	Logger *zap.Logger
}

// Handler serves agents. Its methods may be called concurrently.
type Handler struct {
	dispatcher *dispatch.Dispatcher
	options    Options
	refusals   *refusal.Log
}

// New returns a Handler. The caller closes the dispatcher.
func New(dispatcher *dispatch.Dispatcher, options Options) *Handler {
	return &Handler{dispatcher: dispatcher, options: options, refusals: refusal.New(options.Logger)}
}

// serve authenticates a request, runs the route's handler and writes the
// response.
func (h *Handler) serve(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := h.authenticate(r, route.token)
		var body any
		if err == nil {
			body, err = route.handle(r, caller)
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
