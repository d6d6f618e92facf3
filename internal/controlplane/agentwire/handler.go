package agentwire

import (
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/stack"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Options are the settings of a Handler. Every field but NoStream and StreamEnded
// is required.
type Options struct {
	// Tokens are the tokens with which agents register.
	Tokens *access.Tokens
	// Gate bounds the requests that are decoded at the same time.
	Gate *admission.Gate
	// Audit receives what agents and jobs change of workers.
	Audit *audit.Log
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
	// StreamEnded is called with why a stream ended, in one of StreamEnds, and how long it
	// lasted. It must not block, and may be called concurrently. Nil is none.
	StreamEnded func(reason string, lasted time.Duration)
	// Logger receives one line for each request that fails on the server's side.
	Logger *zap.Logger
}

// Handler serves agents. Its methods may be called concurrently.
type Handler struct {
	dispatcher *dispatch.Dispatcher
	options    Options
	refusals   *refusal.Log

	errorWriter *connect.ErrorWriter
	keepAlive   string // Options.KeepAlive in whole seconds

	// started and seed decide when streams have keep-alives.
	started time.Time
	seed    maphash.Seed
}

// New returns a Handler. The caller closes the dispatcher.
func New(dispatcher *dispatch.Dispatcher, options Options) *Handler {
	if options.StreamEnded == nil {
		options.StreamEnded = func(string, time.Duration) {}
	}
	return &Handler{
		dispatcher: dispatcher, options: options, refusals: refusal.New(options.Logger),
		errorWriter: connect.NewErrorWriter(), keepAlive: strconv.Itoa(int(math.Ceil(options.KeepAlive.Seconds()))),
		started: time.Now(), seed: maphash.MakeSeed(),
	}
}

// serve authenticates a request by its header, waits until its body may be read,
// runs the route's handler and writes the response.
func (h *Handler) serve(route route) http.Handler {
	aboutJob := strings.HasPrefix(route.path, ofJob)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if aboutJob {
			stack.Grow()
		}
		caller, err := h.authenticate(r, route.token)
		var body any
		if err == nil {
			body, err = h.handle(route, r, caller)
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

// handle runs a route's handler once the body of the request may be decoded. The
// body counts until the handler returns, since a chunk is in memory until it is
// stored.
func (h *Handler) handle(route route, r *http.Request, caller caller) (any, error) {
	if weight := admission.Weight(decodedLength(r), maxDataBytes, false); !admission.IsSmall(weight) {
		leave, err := h.options.Gate.Enter(r.Context(), weight)
		if err != nil {
			return nil, err //nolint:wrapcheck // writeFailure names the call
		}
		defer leave()
	}
	return route.handle(r, caller)
}

// decodedLength returns the length of a request's body, as it is sent and
// decompressed together; -1 if that is not known. Only chunks can be compressed, and
// their query has the size that decodeChunk enforces.
func decodedLength(r *http.Request) int64 {
	if r.ContentLength < 0 || r.Header.Get("Content-Encoding") == "" {
		return r.ContentLength
	}
	size, err := strconv.ParseUint(r.URL.Query().Get(wire.ChunkSize), 10, 31)
	if err != nil {
		return -1
	}
	return r.ContentLength + int64(size)
}
