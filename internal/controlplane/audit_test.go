package controlplane_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// Every change of people, programs, agents and jobs is in the audit log, with its
// caller and address; what only reads, and what fails, is not.
func TestAuditLog(t *testing.T) {
	b := start(t)
	ctx := t.Context()
	ci := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(b.createToken(
		switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, ofQueues("q"), func(r *switchyardv1.CreateTokenRequest) { r.Name = "ci" },
	)))
	w := b.register("w", "q")
	submitted, err := ci.SubmitJob(ctx, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", IdempotencyKey: "k"})
	must(t, err)
	_, err = ci.SubmitJob(ctx, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", IdempotencyKey: "k"})
	must(t, err) // the same job: no change
	if _, err := ci.SubmitJob(ctx, queued("other")); err == nil {
		t.Error("submitted to another queue")
	}
	id := submitted.GetJob().GetId()
	_, err = b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: id})
	must(t, err)
	_, err = b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: id, ShowSecrets: true})
	must(t, err)
	_, err = ci.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id, Reason: "not needed"})
	must(t, err)
	again, err := ci.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id, Reason: "again"})
	must(t, err) // no change, as everything below that is done twice
	if !again.GetUnchanged() {
		t.Error("a second cancellation has had an effect")
	}
	for range 2 {
		_, err = b.jobs.DeleteJob(ctx, &switchyardv1.DeleteJobRequest{Id: id, LogOnly: true})
		must(t, err)
	}
	for range 2 {
		_, err = b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: "w", Reason: "new disk"})
		must(t, err)
	}
	for range 2 {
		_, err = b.workers.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: "w"})
		must(t, err)
	}
	b.must(http.StatusOK, request{method: "POST", path: "/v3/pause", token: w.token, body: `{"note":"own"}`})
	b.must(http.StatusOK, request{method: "POST", path: "/v3/resume", token: w.token})
	for range 2 {
		_, err = b.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: "w", Force: true, Reason: "old"})
		must(t, err)
	}
	for range 2 {
		_, err = b.workers.RevokeWorker(ctx, &switchyardv1.RevokeWorkerRequest{Id: w.id})
		must(t, err)
	}
	revoked, err := b.tokens.RevokeToken(ctx, &switchyardv1.RevokeTokenRequest{Id: "ci"})
	must(t, err)
	_, err = b.tokens.RevokeToken(ctx, &switchyardv1.RevokeTokenRequest{Id: revoked.GetToken().GetId()})
	must(t, err)

	client := switchyardv1connect.NewAuditServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	list := func(req *switchyardv1.ListAuditEventsRequest) (lines []string, next string) {
		t.Helper()
		res, err := client.ListAuditEvents(ctx, req)
		must(t, err)
		for _, e := range res.GetEvents() {
			if e.GetAddress() != "127.0.0.1" || time.Since(e.GetAt().AsTime()) > time.Hour || e.GetActorId() == "" || e.GetTargetId() == "" {
				t.Errorf("%v: want an address, a time and IDs", e)
			}
			lines = append(lines, strings.Join([]string{e.GetActor(), e.GetAction(), e.GetTargetKind(), e.GetTargetName(), e.GetDetail()}, "|"))
		}
		return lines, res.GetNextPageToken()
	}
	want := []string{
		"admin-token|CreateToken|token|ci|scope submit, queues q",
		"ci|SubmitJob|job||queue q",
		"admin-token|ShowSecrets|job||",
		"ci|CancelJob|job||not needed",
		"admin-token|DeleteLog|job||log of 0 bytes",
		"admin-token|PauseWorker|worker|w|new disk",
		"admin-token|ResumeWorker|worker|w|",
		"worker w|agent: pause|worker|w|",
		"worker w|agent: resume|worker|w|",
		"admin-token|StopWorker|worker|w|force; old",
		"admin-token|RevokeWorker|worker|w|no reason stated",
		"admin-token|RevokeToken|token|ci|workers revoked: 0",
	}
	if got, next := list(&switchyardv1.ListAuditEventsRequest{}); !slices.Equal(got, want) || next != "" {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	first, next := list(&switchyardv1.ListAuditEventsRequest{PageSize: 4})
	rest, _ := list(&switchyardv1.ListAuditEventsRequest{PageToken: next})
	if !slices.Equal(append(first, rest...), want) {
		t.Errorf("in pages it is %v and %v", first, rest)
	}
	if got, _ := list(&switchyardv1.ListAuditEventsRequest{Since: timestamppb.New(time.Now().Add(time.Hour))}); len(got) != 0 {
		t.Errorf("in an hour there are %v", got)
	}
	expectError(t, "a bad page token", errorOf(client.ListAuditEvents(ctx, &switchyardv1.ListAuditEventsRequest{PageToken: "x"})),
		connect.CodeInvalidArgument, "page_token")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
