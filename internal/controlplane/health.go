package controlplane

import (
	"context"
	"net/http"
	"sync"
	"time"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"
	"go.uber.org/zap"

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
// and the response is only whether the server is healthy.
type health struct {
	// closing is closed when the server begins to shut down.
	closing <-chan struct{}
	// checkStore returns an error if the store cannot be used.
	checkStore func(context.Context) error
	// logger receives a line when the result of the check changes.
	logger *zap.Logger

	mu      sync.Mutex // held during a check: one probe at a time checks the store
	checked time.Time
	lastErr error
}

// routes registers /healthz (the process is alive), /readyz (it can serve requests)
// and grpc.health.v1.Health (the same as /readyz).
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { respond(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { respond(w, h.ready(r.Context())) })
	mux.Handle(grpchealth.NewHandler(h, connect.WithReadMaxBytes(maxHealthBytes)))
}

// ready reports whether requests can be served: not while the server shuts down,
// and not while the store is unavailable.
func (h *health) ready(ctx context.Context) bool {
	select {
	case <-h.closing:
		return false
	default:
		return h.storeReady(ctx)
	}
}

// storeReady reports whether the store was available at the last check, which it
// repeats if it is older than storeCheckAge. The check serves other probes too, so
// that it continues when ctx is canceled.
func (h *health) storeReady(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.checked.IsZero() && time.Since(h.checked) < storeCheckAge {
		return h.lastErr == nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := h.checkStore(ctx)
	switch {
	case err != nil && h.lastErr == nil:
		h.logger.Warn("not ready, store unavailable", zap.Error(err))
	case err == nil && h.lastErr != nil:
		h.logger.Info("ready again, store available")
	}
	h.checked, h.lastErr = time.Now(), err
	return err == nil
}

// Check implements grpchealth.Checker. The empty service name is the whole server.
func (h *health) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	switch req.Service {
	case "", agentedgev1connect.AgentEdgeServiceName,
		switchyardv1connect.JobServiceName, switchyardv1connect.WorkerServiceName:
	default:
		return nil, connect.NewError(connect.CodeNotFound, nil) //nolint:wrapcheck // the code is the whole response
	}
	if !h.ready(ctx) {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

func respond(w http.ResponseWriter, healthy bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !healthy {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
