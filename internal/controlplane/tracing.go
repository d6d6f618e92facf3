package controlplane

import (
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// traced returns a handler that makes a span for each request which is a part of a trace:
// those of an agent about a job. Pings and heartbeats are not, so that a fleet without work
// makes no spans. Without a provider it returns next.
func traced(next http.Handler, provider trace.TracerProvider) http.Handler {
	if provider == nil {
		return next
	}
	return otelhttp.NewHandler(next, "agent call",
		otelhttp.WithTracerProvider(provider), otelhttp.WithMeterProvider(noop.NewMeterProvider()),
		otelhttp.WithPropagators(propagation.TraceContext{}),
		otelhttp.WithFilter(func(r *http.Request) bool { return tracecontext.HasHeader(r.Header) }),
	)
}
