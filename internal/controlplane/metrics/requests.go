package metrics

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
)

// AccessLog is which requests have a line in the log.
type AccessLog string

// The values of AccessLog.
const (
	AccessLogOff    AccessLog = "off"
	AccessLogErrors AccessLog = "errors" // those with a status of 400 or more, or a code of gRPC that is not ok
	AccessLogAll    AccessLog = "all"
)

// ParseAccessLog returns the AccessLog with that name. The error does not have the name.
func ParseAccessLog(name string) (AccessLog, error) {
	switch log := AccessLog(name); log {
	case AccessLogOff, AccessLogErrors, AccessLogAll:
		return log, nil
	}
	return "", fmt.Errorf("must be %s, %s or %s", AccessLogOff, AccessLogErrors, AccessLogAll)
}

// requestMetrics count requests.
type requestMetrics struct {
	count *prometheus.CounterVec
	took  *prometheus.HistogramVec
}

func newRequestMetrics() requestMetrics {
	return requestMetrics{
		count: newCounter("http_requests_total",
			"Requests by route, and by code: a status of HTTP, or a name for one of gRPC that is not ok. A stream counts when it ends.",
			"route", "code"),
		took: newHistogram("http_request_duration_seconds", "Duration of requests by route, without streams.", shortBuckets(), "route"),
	}
}

func (r requestMetrics) all() []prometheus.Collector { return []prometheus.Collector{r.count, r.took} }

// Routes are the names of requests in metrics and in the access log.
type Routes struct {
	// Procedures are the paths that are their own names, among them those of streams.
	Procedures []string
	// Streams are the procedures whose duration is not measured.
	Streams []string
}

// Requests returns a handler that counts the requests to next, which routes them with an
// http.ServeMux, and logs those that log names.
func (m *Metrics) Requests(next http.Handler, routes Routes, log AccessLog, logger *zap.Logger) http.Handler {
	named, streams := map[string]bool{}, map[string]bool{}
	for _, path := range routes.Procedures {
		named[path] = true
	}
	for _, path := range routes.Streams {
		named[path], streams[path] = true, true
	}
	count := func(r *http.Request, response *response) {
		took, route, code := time.Since(response.began), refusal.OtherRoute, response.code()
		switch {
		case named[r.URL.Path]:
			route = r.URL.Path
		case strings.Contains(r.Pattern, " "): // with a method, such as "PUT /v3/jobs/{id}/start"
			_, route, _ = strings.Cut(r.Pattern, " ")
		}
		m.requests.count.WithLabelValues(route, code).Inc()
		if !streams[route] {
			m.requests.took.WithLabelValues(route).Observe(took.Seconds())
		}
		if log == AccessLogAll || log == AccessLogErrors && response.failed() {
			logger.Info("request", zap.String("method", r.Method), zap.String("route", route), zap.String("path", r.URL.Path),
				zap.String("code", code), zap.String("address", access.HostOf(r.RemoteAddr)),
				zap.Duration("took", took), zap.Int64("bytes", response.bytes))
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := &response{ResponseWriter: w, began: time.Now()}
		if detached := detach.Of(w); detached != nil { // it ends later
			detached.AtEnd(func() { count(r, response) })
		} else {
			defer count(r, response) // also after a panic, which net/http recovers
		}
		next.ServeHTTP(response, r)
	})
}

// response notes the status and the size of a response. Like every http.ResponseWriter it
// is used by one goroutine.
type response struct {
	http.ResponseWriter

	began  time.Time
	status int // 0 until it is known
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status < http.StatusOK { // an informational status comes before the final one
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *response) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err //nolint:wrapcheck // a writer's own error
}

// Flush implements http.Flusher, which handlers of streams need.
func (w *response) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap returns the server's writer, for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// code returns the value of the label code.
func (w *response) code() string {
	if code, ok := w.grpcCode(); ok {
		return code.String()
	}
	return strconv.Itoa(max(w.status, http.StatusOK))
}

func (w *response) failed() bool {
	_, failed := w.grpcCode()
	return failed || w.status >= http.StatusBadRequest
}

// grpcCode returns the code of a response of gRPC that failed.
func (w *response) grpcCode() (connect.Code, bool) {
	header := w.Header()
	for _, name := range []string{http.TrailerPrefix + "Grpc-Status", "Grpc-Status"} {
		value := header[name]
		if len(value) != 1 || value[0] == "0" {
			continue
		}
		code, err := strconv.ParseUint(value[0], 10, 32)
		if err != nil || code > uint64(connect.CodeUnauthenticated) {
			return connect.CodeUnknown, true
		}
		return connect.Code(code), true
	}
	return 0, false
}
