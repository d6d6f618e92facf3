package controlplane_test

import (
	"net/http"
	"testing"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// The job in the response to accept.
func TestAcceptedJob(t *testing.T) {
	b := start(t)
	w := b.register("builder", "q")
	req := &switchyardv1.SubmitJobRequest{
		Command: []string{"printf", "%s", "a b'c"}, Queue: "q", Priority: 4, Limits: &switchyardv1.Limits{Memory: 1 << 30, Cpus: 1.5},
		Env: map[string]string{"MINE": "1", "BUILDKITE_BRANCH": "topic", "BUILDKITE_COMMAND": "rm -rf /"},
	}
	job := b.accepted(w, req)
	for field, want := range map[string]any{
		"state": "accepted", "endpoint": "", "priority": 4.0,
		"chunks_max_size_bytes": 524288.0, "chunks_interval_seconds": 1.0, "log_max_size_bytes": 1073741824.0,
	} {
		if job.body[field] != want {
			t.Errorf("%s is %v, want %v", field, job.body[field], want)
		}
	}
	if limits, _ := job.body["switchyard_limits"].(map[string]any); len(limits) != 2 || limits["memory_bytes"] != 1073741824.0 || limits["cpus"] != 1.5 {
		t.Errorf("limits are %v", limits)
	}
	if _, err := time.Parse(time.RFC3339Nano, job.text("runnable_at")); err != nil {
		t.Errorf("runnable_at: %v", err)
	}
	if job.text("token") == "" || job.text("token") == w.token {
		t.Errorf("token is %q, want the job's own token", job.text("token"))
	}
	env, _ := job.body["env"].(map[string]any)
	for name, want := range map[string]any{
		"MINE": "1", "BUILDKITE_BRANCH": "topic", "BUILDKITE_SKIP_CHECKOUT": "true",
		"BUILDKITE_COMMAND": `exec printf %s 'a b'"'"'c'`, "BUILDKITE_AGENT_NAME": "builder", "BUILDKITE_TIMEOUT": nil,
	} {
		if env[name] != want {
			t.Errorf("env %s is %v, want %v", name, env[name], want)
		}
	}
	for _, name := range []string{"REPO", "COMMIT", "ORGANIZATION_SLUG", "PIPELINE_SLUG", "PIPELINE_PROVIDER"} {
		if text, _ := env["BUILDKITE_"+name].(string); text == "" {
			t.Errorf("env BUILDKITE_%s is empty; other agents refuse the job", name)
		}
	}
}

// The submitted repository, commit and branch are kept. The default branch is the
// repository's.
func TestAcceptedJobWithARepository(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		submitted, want map[string]string
	}{
		{map[string]string{}, map[string]string{"BUILDKITE_SKIP_CHECKOUT": "true", "BUILDKITE_BRANCH": "main"}},
		{
			map[string]string{"BUILDKITE_REPO": "r"},
			map[string]string{"BUILDKITE_REPO": "r", "BUILDKITE_COMMIT": "HEAD", "BUILDKITE_BRANCH": "HEAD", "BUILDKITE_SKIP_CHECKOUT": ""},
		},
		{
			map[string]string{"BUILDKITE_REPO": "r", "BUILDKITE_COMMIT": "c", "BUILDKITE_BRANCH": "b"},
			map[string]string{"BUILDKITE_REPO": "r", "BUILDKITE_COMMIT": "c", "BUILDKITE_BRANCH": "b", "BUILDKITE_SKIP_CHECKOUT": ""},
		},
	} {
		w := b.register("builder", "q")
		job := b.accepted(w, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", Env: c.submitted})
		env, _ := job.body["env"].(map[string]any)
		for name, want := range c.want {
			if got, _ := env[name].(string); got != want {
				t.Errorf("submitted %v: %s is %q, want %q", c.submitted, name, got, want)
			}
		}
	}
}

func TestAcceptTwiceKeepsBothTokens(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.accepted(w, queued("q"))
	path := "/v3/jobs/" + first.text("id")
	second := b.must(200, request{method: "PUT", path: path + "/accept", token: w.token})
	for name, token := range map[string]string{"first": first.text("token"), "second": second.text("token")} {
		got := b.do(request{method: "GET", path: path, token: token})
		if got.status != 200 {
			t.Errorf("token of the %s accept: status %d, want 200", name, got.status)
		}
	}
}

func TestAcceptErrors(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	waiting := b.submit("nobody", "true")
	for _, row := range []struct {
		name, id string
		status   int
	}{
		{"unknown", "018f4e8e-0000-7000-8000-000000000000", 404},
		{"not an ID", "nonsense", 404},
		{"escaped characters", "a%2Eb%2Fc%00", 404},
		{"not offered to this worker", waiting.GetId(), 422},
	} {
		got := b.do(request{method: "PUT", path: "/v3/jobs/" + row.id + "/accept", token: w.token})
		if got.status != row.status {
			t.Errorf("%s: status %d, %s; want %d", row.name, got.status, got.raw, row.status)
		}
		_ = got.message(t)
	}
}

// Acquire returns 423 if the job may become free, and 422 if it cannot.
func TestAcquire(t *testing.T) {
	b := start(t)
	w := b.register("acquirer", "q")
	path := func(id string) string { return "/v3/jobs/" + id + "/acquire" }
	header := http.Header{"X-Buildkite-Lock-Acquire-Job": {"1"}, "X-Buildkite-Backoff-Sequence": {"0"}}

	free := b.submit("q", "true")
	got := b.must(200, request{method: "PUT", path: path(free.GetId()), token: w.token, header: header})
	if got.text("state") != "accepted" || got.text("token") == "" {
		t.Errorf("acquiring a job returned %s", got.raw)
	}
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + free.GetId() + "/finish", token: got.text("token"), body: `{"exit_status":"0"}`})

	owner := b.register("owner", "q")
	offered := b.submit("q", "true")
	b.pingUntil(owner, func(r response) bool { return r.body["job"] != nil })
	locked := b.must(http.StatusLocked, request{method: "PUT", path: path(offered.GetId()), token: w.token, header: header})
	if locked.header.Get("Retry-After") == "" {
		t.Error("423 without Retry-After")
	}
	_ = locked.message(t)
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + offered.GetId() + "/accept", token: owner.token})
	_ = b.must(422, request{method: "PUT", path: path(offered.GetId()), token: w.token, header: header}).message(t)
	_ = b.must(422, request{method: "PUT", path: path(free.GetId()), token: w.token, header: header}).message(t)
	elsewhere := b.submit("elsewhere", "true")
	_ = b.must(422, request{method: "PUT", path: path(elsewhere.GetId()), token: w.token, header: header}).message(t)
	_ = b.must(404, request{method: "PUT", path: path("nonsense"), token: w.token, header: header}).message(t)
}
