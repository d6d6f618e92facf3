package job

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// scope is the name of the instrumentation.
const scope = "github.com/switchyard-ci/switchyard/internal/job"

// tracerOf returns the tracer of a provider. That of nil makes no spans; requests and the
// command of a job then name the parent that came with the job.
func tracerOf(provider trace.TracerProvider) trace.Tracer {
	if provider == nil {
		provider = noop.NewTracerProvider()
	}
	return provider.Tracer(scope)
}

// beginTrace begins the span of the whole job, as a part of the trace that the job came
// with. The context is for everything that the job does.
func (r *run) beginTrace(ctx context.Context) (context.Context, trace.Span) {
	ctx = tracecontext.Parent{TraceParent: r.spec.TraceParent, TraceState: r.spec.TraceState}.Context(ctx)
	//nolint:spancheck // endTrace ends it
	return r.tracer.Start(ctx, "run job", trace.WithAttributes(
		attribute.String("job_id", r.spec.ID), attribute.String("worker_name", r.spec.Env[wire.EnvAgentName]),
	))
}

// endTrace ends the span of the whole job with its result.
func (r *run) endTrace(span trace.Span) {
	span.SetAttributes(attribute.String("exit_status", r.result.ExitStatus))
	if r.result.Signal != "" {
		span.SetAttributes(attribute.String("signal", r.result.Signal))
	}
	if !r.result.succeeded() {
		span.SetStatus(codes.Error, r.result.SignalReason)
	}
	span.End()
}

// step calls do within a span of its own, and returns its error.
func (r *run) step(ctx context.Context, name string, do func(ctx context.Context) error) error {
	ctx, span := r.tracer.Start(ctx, name)
	defer span.End()
	err := do(ctx)
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	return err
}

// traceProcess begins the span of the command, of which the command's own spans are
// children.
func (r *run) traceProcess(ctx context.Context) trace.Span {
	ctx, span := r.tracer.Start(ctx, "process")
	if own := tracecontext.Of(ctx); own.TraceParent != "" {
		r.spec.TraceParent, r.spec.TraceState = own.TraceParent, own.TraceState
	}
	return span
}
