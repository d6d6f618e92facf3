package controlplane_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// createToken creates a token with a scope and returns its text.
func (b *bed) createToken(scope switchyardv1.TokenScope, changes ...func(*switchyardv1.CreateTokenRequest)) string {
	b.t.Helper()
	req := &switchyardv1.CreateTokenRequest{Name: "test", Scope: scope}
	for _, change := range changes {
		change(req)
	}
	res, err := b.tokens.CreateToken(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("creating a token: %v", err)
	}
	return res.GetSecret()
}

// expiringAtOnce makes a token that has ended when the response arrives.
func expiringAtOnce(req *switchyardv1.CreateTokenRequest) { req.ExpiresIn = durationpb.New(1) }

// ofQueues limits a token.
func ofQueues(queues ...string) func(*switchyardv1.CreateTokenRequest) {
	return func(req *switchyardv1.CreateTokenRequest) { req.Queues = queues }
}

// A token that is limited to queues registers workers of these, and submits to them,
// shows, follows and cancels their jobs only.
func TestQueuesOfTokens(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.AcquireAnyQueue = true })
	register := b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER, ofQueues("a", "b"))
	sessions := map[string]string{}
	for queue, status := range map[string]int{"a": 200, "b": 200, "c": 403, "default": 403} {
		got := b.do(request{method: "POST", path: "/v3/register", token: register, body: `{"name":"w","meta_data":["queue=` + queue + `"]}`})
		if got.status != status {
			t.Errorf("registering for queue %s: %d, want %d: %s", queue, got.status, status, got.raw)
		}
		sessions[queue] = got.text("access_token")
	}
	jobs := map[string]string{}
	for _, queue := range []string{"a", "b", "c"} {
		jobs[queue] = b.submit(queue, "true").GetId()
	}
	for queue, status := range map[string]int{"b": 200, "c": 403} { // by a worker of queue a
		got := b.do(request{method: "PUT", path: "/v3/jobs/" + jobs[queue] + "/acquire", token: sessions["a"]})
		if got.status != status {
			t.Errorf("acquiring a job of queue %s: %d, want %d: %s", queue, got.status, status, got.raw)
		}
	}
	caller := bearer(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, ofQueues("a")))
	client := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), caller)
	for call, err := range map[string]error{
		"submit":  errorOf(client.SubmitJob(t.Context(), queued("c"))),
		"default": errorOf(client.SubmitJob(t.Context(), queued(""))),
		"get":     errorOf(client.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: jobs["c"]})),
		"cancel":  errorOf(client.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: jobs["c"]})),
		"follow":  followError(client.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{Id: jobs["c"], NoWait: true})),
	} {
		expectError(t, call+" in another queue", err, connect.CodePermissionDenied, "is for queue a only")
	}
	for call, err := range map[string]error{
		"submit": errorOf(client.SubmitJob(t.Context(), queued("a"))),
		"get":    errorOf(client.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: jobs["a"]})),
		"follow": followError(client.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{Id: jobs["a"], NoWait: true})),
		"cancel": errorOf(client.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: jobs["a"]})),
	} {
		if err != nil {
			t.Errorf("%s in its own queue: %v", call, err)
		}
	}
}

// A registration token that is revoked takes its workers with it: their sessions and
// the tokens of their jobs are refused, their streams end, and the jobs that they did
// not start are requeued. Other workers stay.
func TestRevokedRegistrationToken(t *testing.T) {
	b := start(t)
	secret := b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER)
	got := b.must(http.StatusOK, request{method: "POST", path: "/v3/register", token: secret, body: `{"name":"gone","meta_data":["queue=q"]}`})
	gone := worker{id: got.text("id"), name: "gone", token: got.text("access_token")}
	stays := b.register("stays", "other")
	stream := b.stream(gone)
	stream.expect("resume")
	job := b.submit("q", "true")
	stream.expect("job " + job.GetId())

	id, _ := token.Named.ID(secret)
	res, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id})
	if err != nil || res.GetRevokedWorkers() != 1 {
		t.Fatalf("revoking: %v, %d workers, want 1", err, res.GetRevokedWorkers())
	}
	if ended := stream.end(); ended.Code() != connect.CodeUnauthenticated {
		t.Errorf("the stream ended with %v, want unauthenticated", ended)
	}
	b.must(http.StatusUnauthorized, request{method: "GET", path: "/v3/ping", token: gone.token})
	b.must(http.StatusUnauthorized, request{method: "POST", path: "/v3/register", token: secret, body: `{"name":"again"}`})
	b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: stays.token})
	if state := b.stateOf(job.GetId()); state != switchyardv1.JobState_JOB_STATE_QUEUED {
		t.Errorf("the job is %v, want queued", state)
	}
	list, err := b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{
		States: []switchyardv1.WorkerState{switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED},
	})
	if err != nil || len(list.GetWorkers()) != 1 || !list.GetWorkers()[0].GetRevoked() || list.GetWorkers()[0].GetRegistrationTokenId() != id {
		t.Errorf("revoked workers: %v, %v", list.GetWorkers(), err)
	}
}

// The job of a worker that is revoked while it runs is lost at once, with the reason,
// and retried. Its token is refused from then on, with a header that says why.
func TestJobOfARevokedWorker(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", Retries: 1})
	id := job.text("id")
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/start", token: job.text("token"), body: "{}"})
	if _, err := b.workers.RevokeWorker(t.Context(), &switchyardv1.RevokeWorkerRequest{Id: "w", Reason: "stolen"}); err != nil {
		t.Fatal(err)
	}
	got, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	lost, history := got.GetJob(), got.GetJob().GetHistory()
	last := history[len(history)-1]
	const why = "its worker was revoked: stolen"
	if lost.GetState() != switchyardv1.JobState_JOB_STATE_LOST || lost.GetLostReason() != why ||
		last.GetEvent() != "WorkerRevoked" || last.GetReason() != why || last.GetWorkerName() != "w" {
		t.Errorf("the job is %v (%s), last %v; want lost: %s", lost.GetState(), lost.GetLostReason(), last, why)
	}
	if state := b.stateOf(lost.GetRetriedBy()); state != switchyardv1.JobState_JOB_STATE_QUEUED {
		t.Errorf("the retry is %v, want queued", state)
	}
	for _, refused := range []request{
		{method: "PUT", path: "/v3/jobs/" + id + "/finish", token: job.text("token"), body: `{"exit_status":"0"}`},
		{method: "GET", path: "/v3/ping", token: w.token},
		{method: "POST", path: "/v3/stop", token: w.token, body: `{}`},
	} {
		response := b.must(http.StatusUnauthorized, refused)
		if response.header.Get("Switchyard-Revoked") != "1" || response.text("message") != "this worker was revoked by the control plane: stolen" {
			t.Errorf("%s: %v %q", refused.path, response.header, response.text("message"))
		}
	}
}

// Tokens survive a restart, and so does their end.
func TestTokensAfterARestart(t *testing.T) {
	dir := t.TempDir()
	var kept, ended string
	t.Run("before", func(t *testing.T) {
		b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
		kept = b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ)
		ended = b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ, func(r *switchyardv1.CreateTokenRequest) { r.Name = "old" })
		if _, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: "old"}); err != nil {
			t.Fatal(err)
		}
	})
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	list := func(secret string) error {
		return errorOf(switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(secret)).
			ListJobs(t.Context(), &switchyardv1.ListJobsRequest{}))
	}
	if err := list(kept); err != nil {
		t.Errorf("with a token of the time before: %v", err)
	}
	expectError(t, "with a revoked token", list(ended), connect.CodeUnauthenticated, `token "old" was revoked`)
	all, err := b.tokens.ListTokens(t.Context(), &switchyardv1.ListTokensRequest{IncludeRevoked: true})
	if err != nil {
		t.Fatal(err)
	}
	named := slices.DeleteFunc(all.GetTokens(), func(stored *switchyardv1.Token) bool { return stored.GetCreatedBy() == "its file" })
	if names := namesOf(named); !slices.Equal(names, []string{"test", "old"}) {
		t.Errorf("tokens %v, want test and old", names)
	}
	for _, stored := range all.GetTokens() {
		if strings.Contains(stored.String(), kept) || strings.Contains(stored.String(), ended) {
			t.Errorf("the list contains a token's text: %v", stored)
		}
	}
}

func namesOf(tokens []*switchyardv1.Token) []string {
	var names []string
	for _, t := range tokens {
		names = append(names, t.GetName())
	}
	return names
}

func TestTokenRequests(t *testing.T) {
	b := start(t)
	operate := switchyardv1.TokenScope_TOKEN_SCOPE_OPERATE
	for _, row := range []struct {
		name     string
		req      *switchyardv1.CreateTokenRequest
		contains string
	}{
		{"no name", &switchyardv1.CreateTokenRequest{Scope: operate}, "name must have"},
		{"long name", &switchyardv1.CreateTokenRequest{Name: strings.Repeat("x", 65), Scope: operate}, "name must have"},
		{"escape in the name", &switchyardv1.CreateTokenRequest{Name: "a\x1b[2J", Scope: operate}, "printable"},
		{"an ID as the name", &switchyardv1.CreateTokenRequest{Name: unknownID, Scope: operate}, "must not be an ID"},
		{"name of the admin token", &switchyardv1.CreateTokenRequest{Name: "admin-token", Scope: operate}, "admin-token"},
		{"no scope", &switchyardv1.CreateTokenRequest{Name: "a"}, "scope must be"},
		{"unknown scope", &switchyardv1.CreateTokenRequest{Name: "a", Scope: 99}, "scope must be"},
		{"queues of operate", &switchyardv1.CreateTokenRequest{Name: "a", Scope: operate, Queues: []string{"q"}}, "queues limit"},
		{"bad queue", &switchyardv1.CreateTokenRequest{Name: "a", Scope: 1, Queues: []string{"a b"}}, "queues has one"},
		{"many queues", &switchyardv1.CreateTokenRequest{Name: "a", Scope: 1, Queues: slices.Repeat([]string{"q"}, 65)}, "at most 64"},
		{"negative life", &switchyardv1.CreateTokenRequest{Name: "a", Scope: operate, ExpiresIn: durationpb.New(-1)}, "expires_in must be"},
		{"long life", &switchyardv1.CreateTokenRequest{Name: "a", Scope: operate, ExpiresIn: durationpb.New(200000 * time.Hour)}, "expires_in must be"},
	} {
		expectError(t, row.name, errorOf(b.tokens.CreateToken(t.Context(), row.req)), connect.CodeInvalidArgument, row.contains)
	}
	b.createToken(operate)
	b.createToken(operate)
	revoke := func(id string) error {
		return errorOf(b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id}))
	}
	expectError(t, "revoking a name of two", revoke("test"), connect.CodeInvalidArgument, "use the ID")
	expectError(t, "revoking an unknown name", revoke("none"), connect.CodeNotFound, "none")
	expectError(t, "revoking an unknown ID", revoke(unknownID), connect.CodeNotFound, unknownID)
	expectError(t, "revoking the admin token", revoke("admin-token"), connect.CodeInvalidArgument, "write a new token to the file")
}
