package controlplane

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpchealth"

	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// maxHealthBytes bounds a probe: it is the name of a service.
const maxHealthBytes = 4 << 10

// health answers the probes of load balancers and supervisors. Nothing that it
// says needs a token, and it says nothing but yes and no.
type health struct {
	// closing is closed when the server begins to shut down.
	closing <-chan struct{}
}

// routes are the paths of health: /healthz, the process serves; /readyz, send it
// requests; and grpc.health, which says the same as /readyz.
func (h *health) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, true) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, h.ready()) })
	mux.Handle(grpchealth.NewHandler(h, connect.WithReadMaxBytes(maxHealthBytes)))
}

func (h *health) ready() bool {
	select {
	case <-h.closing:
		return false
	default:
		return true
	}
}

// Check implements grpchealth.Checker. The empty service is the whole server.
func (h *health) Check(_ context.Context, req *grpchealth.CheckRequest) (*grpchealth.CheckResponse, error) {
	switch req.Service {
	case "", agentedgev1connect.AgentEdgeServiceName,
		switchyardv1connect.JobServiceName, switchyardv1connect.AgentServiceName:
	default:
		return nil, connect.NewError(connect.CodeNotFound, nil) //nolint:wrapcheck // the code is the whole answer
	}
	if !h.ready() {
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
