package controlplane_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// The tags that a job requires are in every answer about it, each once and in order, and a
// job that runs it again requires them too.
func TestTagsOfAJob(t *testing.T) {
	b := start(t)
	ctx := t.Context()
	want := []string{"gpu=*", "os=linux"}
	first := b.submitted(&switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", Tags: []string{"os=linux", "gpu=*", "os=linux"}})
	got, err := b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: first.GetId()})
	must(t, err)
	listed, err := b.jobs.ListJobs(ctx, &switchyardv1.ListJobsRequest{Queue: "q"})
	must(t, err)
	canceled, err := b.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: first.GetId()})
	must(t, err)
	again, err := b.jobs.RerunJob(ctx, &switchyardv1.RerunJobRequest{Id: first.GetId()})
	must(t, err)
	for answer, job := range map[string]*switchyardv1.Job{
		"submit": first, "get": got.GetJob(), "list": listed.GetJobs()[0], "cancel": canceled.GetJob(), "rerun": again.GetJob(),
	} {
		if !slices.Equal(job.GetTags(), want) {
			t.Errorf("%s: the job requires %q, want %q", answer, job.GetTags(), want)
		}
	}
	for _, row := range []struct {
		tags    []string
		problem string
	}{
		{[]string{"os=linux", "queue=q"}, `tags have "queue=q", which names the queue`},
		{[]string{"os"}, `tags have "os", which must be key=value`},
		{make([]string, 17), "tags are 17, and at most 16 are possible"},
	} {
		_, err := b.jobs.SubmitJob(ctx, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Tags: row.tags})
		if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), row.problem) {
			t.Errorf("%q: got %v, want %q", row.tags, err, row.problem)
		}
	}
	res, err := b.jobs.SubmitJobs(ctx, &switchyardv1.SubmitJobsRequest{Jobs: []*switchyardv1.SubmitJobRequest{
		{Command: []string{"true"}, Queue: "q", Tags: []string{"os=lin*"}}, {Command: []string{"true"}, Queue: "q", Tags: []string{"os=linux"}},
	}})
	must(t, err)
	if r := res.GetResults(); r[0].GetCode() != "invalid_argument" || !strings.Contains(r[0].GetMessage(), `"os=lin*"`) || r[1].GetJobId() == "" {
		t.Errorf("of two jobs the first one has bad tags: %v", r)
	}
}
