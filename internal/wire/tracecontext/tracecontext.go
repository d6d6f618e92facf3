// Package tracecontext carries the trace of a job from its submitter to its process, in
// the form of W3C Trace Context: headers of requests, fields of the job, variables of its
// environment. It exports nothing: see package tracing.
package tracecontext

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The variables by which a process finds the trace that it is a part of.
const (
	EnvParent = "TRACEPARENT"
	EnvState  = "TRACESTATE"
)

// The headers, which are also the names of the fields in a carrier.
const (
	headerParent = "traceparent"
	headerState  = "tracestate"
)

// maxState bounds the state of a trace, in bytes; a longer one is left out. By the
// standard, at least 512 are to be kept.
const maxState = 512

// Parent is a span of another process, in text. The zero value is none.
type Parent struct {
	TraceParent, TraceState string
}

// Of returns the span of a context as the parent for another process; the zero value if
// there is none.
func Of(ctx context.Context) Parent {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	p := Parent{TraceParent: carrier.Get(headerParent), TraceState: carrier.Get(headerState)}
	if len(p.TraceState) > maxState {
		p.TraceState = ""
	}
	return p
}

// Context returns a context whose spans are children of the parent. It returns ctx for
// the zero value, and for one that is not valid, as the standard has it.
func (p Parent) Context(ctx context.Context) context.Context {
	if p.TraceParent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{headerParent: p.TraceParent, headerState: p.TraceState})
}

// FromHeader returns a context whose spans are children of the one that the headers of
// a request name, if they do.
func FromHeader(ctx context.Context, header http.Header) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
}

// SetHeader names the span of a context in the headers of a request, if there is one.
func SetHeader(ctx context.Context, header http.Header) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}

// HasHeader reports whether the headers of a request name a span.
func HasHeader(header http.Header) bool {
	return propagation.HeaderCarrier(header).Get(headerParent) != ""
}
