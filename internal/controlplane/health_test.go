package controlplane

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/grpchealth"
)

// A server that shuts down is alive, and not to be sent anything.
func TestHealthWhileClosing(t *testing.T) {
	t.Parallel()
	closing := make(chan struct{})
	close(closing)
	h := &health{closing: closing}
	mux := http.NewServeMux()
	h.routes(mux)
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if recorder.Code != want {
			t.Errorf("%s: status %d, want %d", path, recorder.Code, want)
		}
	}
	res, err := h.Check(context.Background(), &grpchealth.CheckRequest{})
	if err != nil || res.Status != grpchealth.StatusNotServing {
		t.Errorf("grpc.health: %v, %v; want not serving", res, err)
	}
}
