package metrics

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
)

// A response of any form is counted with its code, and the values of the labels are those
// of the routes, whatever is asked for.
func TestRequests(t *testing.T) {
	t.Parallel()
	m := New()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/jobs/{id}", func(http.ResponseWriter, *http.Request) {}) // writes nothing
	mux.HandleFunc("PUT /v3/jobs/{id}", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusConflict)
	})
	mux.HandleFunc("/s/Call", func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("x"))
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", r.Header.Get("Status"))
	})
	mux.HandleFunc("/", http.NotFound)
	handler := m.Requests(mux, Routes{Procedures: []string{"/s/Call"}, Streams: []string{"/s/Stream"}}, AccessLogOff, zap.NewNop())
	for _, row := range []struct{ method, path, status, route, code string }{
		{"GET", "/v3/jobs/1", "", "/v3/jobs/{id}", "200"},
		{"PUT", "/v3/jobs/2", "", "/v3/jobs/{id}", "409"},
		{"POST", "/s/Call", "0", "/s/Call", "200"},
		{"POST", "/s/Call", "14", "/s/Call", "unavailable"},
		{"POST", "/s/Call", "99", "/s/Call", "unknown"},
		{"POST", "/s/Call", "x", "/s/Call", "unknown"},
		{"GET", "/any/thing", "", refusal.OtherRoute, "404"},
		{"DELETE", "/v3/jobs/3", "", refusal.OtherRoute, "404"},
		{"POST", "/s/Stream", "", "/s/Stream", "404"},
	} {
		counter := m.requests.count.WithLabelValues(row.route, row.code)
		before := testutil.ToFloat64(counter)
		r := httptest.NewRequestWithContext(t.Context(), row.method, row.path, http.NoBody)
		r.Header.Set("Status", row.status)
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if n := testutil.ToFloat64(counter) - before; n != 1 {
			t.Errorf("%s %s with status %q: %v requests of %s with code %s, want one", row.method, row.path, row.status, n, row.route, row.code)
		}
	}
	if n := testutil.CollectAndCount(m.requests.took); n != 3 {
		t.Errorf("the durations of %d routes are measured, want 3: not that of the stream", n)
	}
}

// BenchmarkRequest is what metrics and access log cost a request.
func BenchmarkRequest(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v3/ping", func(http.ResponseWriter, *http.Request) {})
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/v3/ping", http.NoBody)
	for name, handler := range map[string]http.Handler{
		"without": mux, "with": New().Requests(mux, Routes{}, AccessLogOff, zap.NewNop()),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(w, r)
			}
		})
	}
}
