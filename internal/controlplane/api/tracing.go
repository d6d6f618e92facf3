package api

import (
	"context"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// traced returns the interceptors by which a call is a part of the trace of its caller.
// With a provider each call but a stream has a span. Without one the context of a call
// has the span of its caller, so that a job keeps it.
func traced(provider trace.TracerProvider) []connect.Interceptor {
	if provider == nil {
		return []connect.Interceptor{connect.UnaryInterceptorFunc(parented)}
	}
	interceptor, err := otelconnect.NewInterceptor(
		otelconnect.WithTracerProvider(provider), otelconnect.WithPropagator(propagation.TraceContext{}),
		otelconnect.WithFilter(func(_ context.Context, spec connect.Spec) bool { return spec.StreamType == connect.StreamTypeUnary }),
		otelconnect.WithTrustRemote(), otelconnect.WithoutMetrics(),
	)
	if err != nil { // only an instrument of a metric can fail, and there are none
		return []connect.Interceptor{connect.UnaryInterceptorFunc(parented)}
	}
	return []connect.Interceptor{interceptor}
}

// parented is an interceptor that adds the span of the caller to the context of a call.
func parented(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		return next(tracecontext.FromHeader(ctx, req.Header()), req)
	}
}
