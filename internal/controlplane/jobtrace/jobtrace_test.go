package jobtrace

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting counts the changes that are passed on.
type counting struct {
	dispatch.Observer

	changes int
}

func (c *counting) JobChanged(_, _ record.Job, _ lifecycle.Event) { c.changes++ }

// Each state that a job leaves is a span from when it entered the state, in the trace that
// the job came with, whichever replica made the change.
func TestASpanForEachState(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	next := &counting{}
	began := time.Date(2026, 1, 31, 18, 0, 0, 0, time.UTC)
	job := record.Job{ID: "j", Queue: "linux", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	events := []lifecycle.Event{
		{Kind: lifecycle.Submitted},
		{Kind: lifecycle.Assigned, WorkerID: "w"},
		{Kind: lifecycle.WorkerPaused, Reason: "its worker is paused"},
		{Kind: lifecycle.Assigned, WorkerID: "v"},
		{Kind: lifecycle.Accepted, WorkerID: "v", Token: "t"},
		{Kind: lifecycle.Started, Token: "t"},
		{Kind: lifecycle.CancelRequested}, // no other state
		{Kind: lifecycle.WorkerLost},
		{Kind: lifecycle.Silent, Reason: "silent"},
	}
	for i, ev := range events {
		ev.At = began.Add(time.Duration(i) * time.Second)
		before := job
		job.Job, _ = lifecycle.Next(job.Job, ev)
		New(next, provider).JobChanged(before, job, ev) // a replica of its own
	}
	untraced := job
	untraced.TraceParent = ""
	New(next, provider).JobChanged(record.Job{Job: lifecycle.Job{State: "running"}}, untraced, lifecycle.Event{})

	var got []string
	for _, s := range exporter.GetSpans() {
		if s.SpanContext.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || s.Parent.SpanID().String() != "b7ad6b7169203331" {
			t.Errorf("%s is a child of %v", s.Name, s.Parent)
		}
		got = append(got, fmt.Sprintf("%s %v-%v %s", s.Name, s.StartTime.Sub(began), s.EndTime.Sub(began), s.Status.Description))
	}
	want := []string{
		"job queued 0s-1s ", "job assigned 1s-2s ", "job queued 2s-3s ", "job assigned 3s-4s ", "job accepted 4s-5s ", "job running 5s-8s lost",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if next.changes != len(events)+1 {
		t.Errorf("%d changes were passed on", next.changes)
	}
}
