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

// maxHealthBytes bounds a probe: it is the name of a service.
const maxHealthBytes = 4 << 10

const (
	// storeTimeout is how long the store may take to answer a probe. Those who
	// probe give up after a few seconds.
	storeTimeout = 2 * time.Second
	// storeAnswerAge is how long its answer is good for, so that probes, which
	// anybody may send, are no load on the store.
	storeAnswerAge = time.Second
)

// health answers the probes of load balancers and supervisors. Nothing that it
// says needs a token, and it says nothing but yes and no.
type health struct {
	// closing is closed when the server begins to shut down.
	closing <-chan struct{}
	// store asks the store whether it can be used.
	store func(context.Context) error
	// logger is told when the answer of the store changes.
	logger *zap.Logger

	mu      sync.Mutex // held while the store is asked: one probe at a time asks
	asked   time.Time
	lastErr error
}

// routes are the paths of health: /healthz, the process serves; /readyz, send it
// requests; and grpc.health, which says the same as /readyz.
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) { answer(w, h.ready(r.Context())) })
	mux.Handle(grpchealth.NewHandler(h, connect.WithReadMaxBytes(maxHealthBytes)))
}

// ready says whether to send requests here: not while the server closes, nor
// while the store is out of reach, without which most calls are answered 503.
func (h *health) ready(ctx context.Context) bool {
	select {
	case <-h.closing:
		return false
	default:
		return h.storeAnswers(ctx)
	}
}

// storeAnswers asks the store, unless it was asked just now. The question is not
// the caller's alone, so that it goes on when the caller is gone.
func (h *health) storeAnswers(ctx context.Context) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.asked.IsZero() && time.Since(h.asked) < storeAnswerAge {
		return h.lastErr == nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	err := h.store(ctx)
	switch {
	case err != nil && h.lastErr == nil:
		h.logger.Warn("not ready: the store is out of reach", zap.Error(err))
	case err == nil && h.lastErr != nil:
		h.logger.Info("ready again: the store is back")
	}
	h.asked, h.lastErr = time.Now(), err
	return err == nil
}

// Check implements grpchealth.Checker. The empty service is the whole server.
func (h *health) Check(ctx context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	switch req.Service {
	case "", agentedgev1connect.AgentEdgeServiceName,
		switchyardv1connect.JobServiceName, switchyardv1connect.WorkerServiceName:
	default:
		return nil, connect.NewError(connect.CodeNotFound, nil) //nolint:wrapcheck // the code is the whole answer
	}
	if !h.ready(ctx) {
		return &grpchealth.CheckResponse{Status: grpchealth.StatusNotServing}, nil
	}
	return &grpchealth.CheckResponse{Status: grpchealth.StatusServing}, nil
}

func answer(w http.ResponseWriter, yes bool) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !yes {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no\n"))
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
