package controlplane_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// Of the jobs of one call each is stored or refused by itself, in their order, within
// the queues of the token, and audited.
func TestSubmitJobs(t *testing.T) {
	b := start(t)
	ctx := t.Context()
	ci := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(b.createToken(
		switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, ofQueues("q"), func(r *switchyardv1.CreateTokenRequest) { r.Name = "ci" },
	)))
	first, err := ci.SubmitJob(ctx, &switchyardv1.SubmitJobRequest{Command: []string{"first"}, Queue: "q", IdempotencyKey: "k"})
	must(t, err)
	jobs := []*switchyardv1.SubmitJobRequest{
		{Command: []string{"a"}, Queue: "q"},
		{Queue: "q"},
		{Command: []string{"first"}, Queue: "q", IdempotencyKey: "k"},
		{Command: []string{"another"}, Queue: "q", IdempotencyKey: "k"},
		{Command: []string{"a"}, Queue: "other"},
		{Command: []string{"-a"}, Queue: "q"},
	}
	for range 100 {
		jobs = append(jobs, &switchyardv1.SubmitJobRequest{Command: []string{"b"}, Queue: "q"})
	}
	res, err := ci.SubmitJobs(ctx, &switchyardv1.SubmitJobsRequest{Jobs: jobs})
	must(t, err)
	var ids []string
	for i, r := range res.GetResults() {
		want := map[int]string{1: "invalid_argument", 3: "already_exists", 4: "permission_denied", 5: "invalid_argument"}[i]
		if r.GetCode() != want || (r.GetJobId() == "") != (want != "") || (r.GetMessage() == "") != (want == "") {
			t.Errorf("job %d: got %v, want the code %q", i, r, want)
		}
		if r.GetExisted() != (i == 2) || i == 2 && r.GetJobId() != first.GetJob().GetId() {
			t.Errorf("job %d: got %v; the third existed", i, r)
		}
		if r.GetJobId() != "" && i != 2 {
			ids = append(ids, r.GetJobId())
		}
	}
	if len(res.GetResults()) != len(jobs) || len(ids) != 101 || !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("%d results with %d new jobs; a queue runs them in the order of their IDs: %v", len(res.GetResults()), len(ids), ids)
	}
	for _, id := range ids {
		if job, err := b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: id}); err != nil || job.GetJob().GetQueue() != "q" {
			t.Errorf("job %s: %v, %v", id, job, err)
		}
	}
	for name, n := range map[string]int{"none": 0, "too many": 501} {
		_, err := ci.SubmitJobs(ctx, &switchyardv1.SubmitJobsRequest{Jobs: slices.Repeat(jobs[:1], n)})
		expectError(t, name, err, connect.CodeInvalidArgument, "jobs must have 1 to 500 elements")
	}
	many := &switchyardv1.SubmitJobRequest{Command: slices.Repeat([]string{""}, 40_000)}
	_, err = ci.SubmitJobs(ctx, &switchyardv1.SubmitJobsRequest{Jobs: []*switchyardv1.SubmitJobRequest{many, many}})
	expectError(t, "many short arguments", err, connect.CodeInvalidArgument, "elements")
	large := &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Env: map[string]string{"A": strings.Repeat("x", 100<<10)}}
	_, err = ci.SubmitJobs(ctx, &switchyardv1.SubmitJobsRequest{Jobs: slices.Repeat([]*switchyardv1.SubmitJobRequest{large}, 40)})
	expectError(t, "4 MB", err, connect.CodeResourceExhausted, "")

	audit := switchyardv1connect.NewAuditServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	var audited []string
	deadline := time.NewTimer(waitLimit)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for len(audited) < len(ids) {
		select {
		case <-deadline.C:
			t.Fatalf("%d of %d submissions are audited", len(audited), len(ids))
		case <-again.C:
		}
		events, err := audit.ListAuditEvents(ctx, &switchyardv1.ListAuditEventsRequest{PageSize: 1000})
		must(t, err)
		audited = nil
		for _, e := range events.GetEvents() {
			if e.GetAction() == "SubmitJob" && e.GetActor() == "ci" && e.GetDetail() == "queue q" && e.GetTargetId() != first.GetJob().GetId() {
				audited = append(audited, e.GetTargetId())
			}
		}
	}
	if !slices.Equal(audited, ids) {
		t.Errorf("audited %v, want %v", audited, ids)
	}
}
