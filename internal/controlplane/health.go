package controlplane

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// maxHealthBytes bounds a gRPC health request, which holds the name of a service.
const maxHealthBytes = 4 << 10

const (
	// storeTimeout is how long a check of the store may take. Load balancers give up
	// after a few seconds.
	storeTimeout = 2 * time.Second
	// storeCheckAge is how long the result of a check is reused. Anybody may send
	// probes, which must not become load on the store.
	storeCheckAge = time.Second
)

// health serves the probes of load balancers and supervisors. They need no token,
// and the response is only whether the server is healthy and, in a few words, why
// not.
type health struct {
	// closing is closed when the server begins to shut down.
	closing <-chan struct{}
	// checkStore returns an error if the store cannot be used; store.ErrLimit if it can,
	// and takes no new job only.
	checkStore func(context.Context) error
	// logger receives a line when the result of the check changes.
	logger *zap.Logger

	mu      sync.Mutex // held during a check: one probe at a time checks the store
	checked time.Time
	lastErr error
	since   time.Time // of the first check in a row with which the server is not ready
}

// routes registers /healthz (the process is alive), /readyz (it can serve requests)
// and grpc.health.v1.Health (the same as /readyz).
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { respond(w, nil) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { h.respondReady(w, r) })
	mux.Handle(grpchealth.NewHandler(h, connect.WithReadMaxBytes(maxHealthBytes)))
}

// Why a server is not ready. The details, which may name files and addresses, are
// in the log.
var (
	errClosing          = errors.New("the control plane is shutting down")
	errStoreFull        = store.ErrFull
	errStoreUnavailable = store.ErrUnavailable
)

// respondReady writes whether the server is ready. A server that takes no new job is: it
// serves streams, results, logs and lists, which another server of the same store would
// not serve better. The response says so, and why.
func (h *health) respondReady(w http.ResponseWriter, r *http.Request) {
	grace, err := graceOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	err = h.ready(r.Context())
	if err != nil && !errors.Is(err, errClosing) && h.unreadyFor() < grace {
		respond(w, nil)
		_, _ = w.Write([]byte(err.Error() + "\n"))
		return
	}
	respond(w, err)
	if limit, ok := errors.AsType[*store.LimitError](h.lastCheck()); ok && err == nil {
		_, _ = w.Write([]byte(limit.Error() + "\n"))
	}
}

// maxGrace bounds the grace of /readyz.
const maxGrace = time.Hour

// graceOf returns for how long the store may be unavailable before the response to a
// request for /readyz is that the server is not ready: its parameter grace, or zero. All
// servers have the same store, so a load balancer that takes them out of service for a
// short outage of it only cuts their streams.
func graceOf(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("grace")
	if text == "" {
		return 0, nil
	}
	grace, err := time.ParseDuration(text)
	if err != nil || grace < 0 || grace > maxGrace {
		return 0, errGrace
	}
	return grace, nil
}

// errGrace is the error of a parameter grace that cannot be used.
var errGrace = errors.New("grace must be a duration such as 60s, up to 1h")

// unreadyFor returns how long the store has been unavailable.
func (h *health) unreadyFor() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Since(h.since)
}

// ready returns nil if requests can be served, and else why not: the server shuts
// down, or the store is full or unavailable.
func (h *health) ready(ctx context.Context) error {
	select {
	case <-h.closing:
		return errClosing
	default:
	}
	switch err := h.storeReady(ctx); {
	case errors.Is(err, store.ErrLimit):
		return nil
	case errors.Is(err, store.ErrFull):
		return errStoreFull
	case err != nil:
		return errStoreUnavailable
	}
	return nil
}

// storeReady returns the result of the last check of the store, which it repeats if
// it is older than storeCheckAge. The check serves other probes too, so that it
// continues when ctx is canceled.
func (h *health) storeReady(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && time.Since(h.checked) < storeCheckAge {
		return h.lastErr
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := h.checkStore(ctx)
	switch unready, was := isUnready(err), isUnready(h.lastErr); {
	case unready && !was:
		h.since = time.Now()
		h.logger.Warn("not ready, store unavailable", zap.Error(err))
	case !unready && was:
		h.logger.Info("ready again, store available")
	}
	h.checked, h.lastErr = time.Now(), err
	return err
}

// isUnready reports whether a result of checkStore means that requests are not served.
func isUnready(err error) bool { return err != nil && !errors.Is(err, store.ErrLimit) }

// lastCheck returns the result of the last check of the store.
func (h *health) lastCheck() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastErr
}

// Check implements grpchealth.Checker. The empty service name is the whole server.
func (h *health) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	switch req.Service {
	case "", agentedgev1connect.AgentEdgeServiceName,
		switchyardv1connect.JobServiceName, switchyardv1connect.WorkerServiceName,
		switchyardv1connect.TokenServiceName, switchyardv1connect.AuditServiceName:
	default:
		return nil, connect.NewError(connect.CodeNotFound, nil) //nolint:wrapcheck // the code is the whole response
	}
	if h.ready(ctx) != nil {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil //nolint:nilerr // this is the response
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

// respond writes ok, or no and why.
func respond(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no: " + err.Error() + "\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
