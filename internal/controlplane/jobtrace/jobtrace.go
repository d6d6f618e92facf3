// Package jobtrace makes the spans of jobs, as the control plane sees them: one for each
// state that a job was in, from when it entered the state until it left it. They are
// children of the span that submitted the job, whose context is stored with it, so that
// any replica makes them from the record alone.
package jobtrace

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// scope is the name of the instrumentation.
const scope = "github.com/switchyard-ci/switchyard/internal/controlplane/jobtrace"

// Observer makes the spans of the changes that it is called with, and passes everything
// on. It implements dispatch.Observer.
type Observer struct {
	dispatch.Observer

	tracer trace.Tracer
}

// New returns an Observer that passes everything on to next.
func New(next dispatch.Observer, provider trace.TracerProvider) *Observer {
	return &Observer{Observer: next, tracer: provider.Tracer(scope)}
}

// JobChanged implements dispatch.Observer.
func (o *Observer) JobChanged(before, after record.Job, ev lifecycle.Event) {
	o.Observer.JobChanged(before, after, ev)
	if before.State == "" || before.State == after.State || after.TraceParent == "" {
		return
	}
	ctx := tracecontext.Parent{TraceParent: after.TraceParent, TraceState: after.TraceState}.Context(context.Background())
	began := entered(before)
	_, span := o.tracer.Start(ctx, "job "+string(before.State), trace.WithTimestamp(began), trace.WithAttributes(
		attribute.String("job_id", after.ID), attribute.String("queue", after.Queue),
		attribute.String("to", string(after.State)), attribute.String("event", ev.Kind.String()),
		attribute.String("reason", ev.Reason),
	))
	if worker := workerOf(before, after); worker.ID != "" {
		span.SetAttributes(attribute.String("worker_id", worker.ID), attribute.String("worker_name", worker.Name))
	}
	if after.State.Final() {
		outcome := after.Outcome()
		span.SetAttributes(attribute.String("outcome", string(outcome)))
		if outcome != lifecycle.Succeeded {
			span.SetStatus(codes.Error, string(outcome))
		}
	}
	ended := ev.At
	if ended.Before(began) { // the moments are of two replicas
		ended = began
	}
	span.End(trace.WithTimestamp(ended))
}

// entered returns when a job entered the state that it is in.
func entered(job record.Job) time.Time {
	for _, entry := range slices.Backward(job.History.Entries) {
		if entry.To == job.State && entry.From != job.State {
			return entry.At
		}
	}
	return job.SubmittedAt
}

// worker names a worker.
type worker struct{ ID, Name string }

// workerOf returns the worker that a change is about.
func workerOf(before, after record.Job) worker {
	if after.WorkerID != "" {
		return worker{after.WorkerID, after.WorkerName}
	}
	return worker{before.WorkerID, before.WorkerName}
}
