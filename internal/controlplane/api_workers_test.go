package controlplane_test

import (
	"slices"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestWorkersByNameAndID(t *testing.T) {
	b := start(t)
	one, first := b.register("one", "q"), b.register("twin", "q")
	b.register("twin", "q2")
	ctx := t.Context()
	for _, ref := range []string{one.id, "one"} {
		paused, err := b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: ref, Reason: "new disk"})
		if err != nil {
			t.Fatal(err)
		}
		if got := paused.GetWorker(); got.GetId() != one.id || !got.GetPaused() || got.GetPauseReason() != "new disk" {
			t.Errorf("paused by %q: worker %v", ref, got)
		}
		resumed, err := b.workers.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: ref})
		if err != nil {
			t.Fatal(err)
		}
		if got := resumed.GetWorker(); got.GetPaused() || got.GetPauseReason() != "" {
			t.Errorf("resumed by %q: worker %v", ref, got)
		}
	}
	_, err := b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: "twin", Reason: "x"})
	expectError(t, "an ambiguous name", err, connect.CodeInvalidArgument, "use the ID")
	_, err = b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: "one"})
	expectError(t, "a pause without a reason", err, connect.CodeInvalidArgument, "reason must say why")

	stopped, err := b.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: first.id, Reason: "old"})
	if err != nil || !stopped.GetWorker().GetStopping() {
		t.Errorf("stopping: %v, %v", stopped, err)
	}
	b.must(200, request{method: "POST", path: "/v3/disconnect", token: first.token})
	_, err = b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: first.id, Reason: "x"})
	expectError(t, "pausing a disconnected worker", err, connect.CodeFailedPrecondition, "has left")

	for _, row := range []struct {
		req  *switchyardv1.ListWorkersRequest
		want []string // names, newest first
	}{
		{&switchyardv1.ListWorkersRequest{}, []string{"twin", "one"}},
		{&switchyardv1.ListWorkersRequest{Queue: "q"}, []string{"one"}},
		{&switchyardv1.ListWorkersRequest{States: []switchyardv1.WorkerState{switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED}}, []string{"twin"}},
	} {
		res, err := b.workers.ListWorkers(ctx, row.req)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, 0, len(row.want))
		for _, listed := range res.GetWorkers() {
			names = append(names, listed.GetName())
		}
		if !slices.Equal(names, row.want) {
			t.Errorf("%v lists %v, want %v", row.req, names, row.want)
		}
	}
}
