package controlplane_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func queued(queue string) *switchyardv1.SubmitJobRequest {
	return &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: queue}
}

// Section 1 of the wire's facts: register.
func TestRegister(t *testing.T) {
	b := start(t)
	for _, row := range []struct {
		name, body string
		status     int
		says       string // in the message of an error
	}{
		{"as agents do", `{"name":"a-1","hostname":"h","os":"linux","arch":"amd64","script_eval_enabled":true,` +
			`"ignore_in_dispatches":false,"priority":"3","version":"4.0.0","build":"1","meta_data":["queue=q","os=linux"],` +
			`"pid":7,"machine_id":"m","features":["streaming-pings"]}`, http.StatusOK, ""},
		{"the least", `{"name":"a-2"}`, http.StatusOK, ""},
		{"members that are newer than we", `{"name":"a-3","later":{"x":[1]}}`, http.StatusOK, ""},
		{"null tags", `{"name":"a-4","meta_data":null}`, http.StatusOK, ""},
		{"a name is taken from the host", `{"hostname":"h"}`, http.StatusOK, ""},
		{"the same name again", `{"name":"a-1"}`, http.StatusOK, ""},
		{"no name at all", `{}`, http.StatusBadRequest, "name"},
		{"not JSON", `name=a`, http.StatusBadRequest, "not JSON"},
		{"a wrong type", `{"name":["a"]}`, http.StatusBadRequest, "name must not be a JSON array"},
		{"a priority that is none", `{"name":"a","priority":"high"}`, http.StatusBadRequest, "priority"},
		{"too large", `{"name":"` + strings.Repeat("x", 300<<10) + `"}`, http.StatusRequestEntityTooLarge, "262144"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := b.do(request{method: "POST", path: "/v3/register", token: b.RegistrationToken(), body: row.body})
			if got.status != row.status {
				t.Fatalf("status %d, %s; want %d", got.status, got.raw, row.status)
			}
			if row.status != http.StatusOK {
				if message := got.message(t); !strings.Contains(message, row.says) {
					t.Errorf("message %q does not say %q", message, row.says)
				}
				return
			}
			for field, want := range map[string]any{
				"ping_interval": 2.0, "heartbeat_interval": 30.0, "job_status_interval": 1.0, "endpoint": "",
			} {
				if got.body[field] != want {
					t.Errorf("%s is %v, want %v", field, got.body[field], want)
				}
			}
			for _, field := range []string{"id", "name", "access_token"} {
				if got.text(field) == "" {
					t.Errorf("%s is missing", field)
				}
			}
			if _, sent := got.body["request_headers"]; sent {
				t.Error("request_headers is sent; an absent one tells the agent to keep what it has")
			}
			if _, isList := got.body["meta_data"].([]any); !isList {
				t.Errorf("meta_data is %v, want a list", got.body["meta_data"])
			}
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

func TestRegisteredTagsAndQueue(t *testing.T) {
	b := start(t)
	w := b.register("tagged", "builds")
	res, err := b.agents.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{Queue: "builds"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetWorkers()) != 1 {
		t.Fatalf("queue builds has %d workers, want 1", len(res.GetWorkers()))
	}
	got := res.GetWorkers()[0]
	if got.GetId() != w.id || got.GetQueue() != "builds" || !slices.Equal(got.GetTags(), []string{"queue=builds"}) ||
		got.GetHostname() != "host" || got.GetOs() != "linux" || got.GetArch() != "amd64" {
		t.Errorf("the worker is listed as %v", got)
	}
}

// Every route, with every token that it does not take, and with a broken one.
func TestTokensOfEveryRoute(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	other := b.accepted(b.register("other", "q2"), queued("q2"))
	tokens := map[string]string{
		"registration": b.RegistrationToken(), "session": w.token, "job": job.text("token"),
		"admin": b.AdminToken(), "unknown": strings.Repeat("x", 40), "none": "",
	}
	id := job.text("id")
	for _, row := range []struct {
		method, path string
		takes        []string
	}{
		{"POST", "/v3/register", []string{"registration"}},
		{"GET", "/v3/token", []string{"registration"}},
		{"POST", "/v3/connect", []string{"session"}},
		{"POST", "/v3/heartbeat", []string{"session"}},
		{"GET", "/v3/ping", []string{"session"}},
		{"POST", "/v3/stop", []string{"session", "job"}},
		{"POST", "/v3/pause", []string{"session", "job"}},
		{"POST", "/v3/resume", []string{"session", "job"}},
		{"POST", "/v3/disconnect", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/accept", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/acquire", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/start", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/chunks", []string{"job"}},
		{"GET", "/v3/jobs/" + id, []string{"job"}},
		{"PUT", "/v3/jobs/" + id, []string{"job"}},
		{"PUT", "/v3/jobs/" + id + "/finish", []string{"job"}},
		{"PUT", "/v3/jobs/" + id + "/promise_failure", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/set", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/set-batch", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/get", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/exists", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/keys", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/get", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/exists", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/keys", []string{"job"}},
	} {
		for name, token := range tokens {
			if slices.Contains(row.takes, name) {
				continue
			}
			got := b.do(request{method: row.method, path: row.path, token: token})
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s %s with the %s token: status %d, %s; want 401", row.method, row.path, name, got.status, got.raw)
				continue
			}
			if message := got.message(t); token != "" && strings.Contains(message, token) {
				t.Errorf("%s %s: the message %q shows the token", row.method, row.path, message)
			}
			if got.header.Get("WWW-Authenticate") != "Token" {
				t.Errorf("%s %s: WWW-Authenticate is %q", row.method, row.path, got.header.Get("WWW-Authenticate"))
			}
		}
		if strings.Contains(row.path, id) && slices.Contains(row.takes, "job") {
			got := b.do(request{method: row.method, path: row.path, token: other.text("token")})
			if got.status != http.StatusNotFound {
				t.Errorf("%s %s with another job's token: status %d, %s; want 404", row.method, row.path, got.status, got.raw)
			}
		}
		basic := http.Header{"Authorization": {"Basic " + w.token}}
		if got := b.do(request{method: row.method, path: row.path, header: basic}); got.status != http.StatusUnauthorized {
			t.Errorf("%s %s with another scheme: status %d, want 401", row.method, row.path, got.status)
		}
	}
}

// Section 1: the calls of a session, in an order that an agent may make them in.
func TestSession(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	sent := "2026-01-02T03:04:05.123456789+02:00"
	for _, row := range []struct {
		name         string
		method, path string
		body         string
		status       int
		want         map[string]any // members of the answer, exactly, unless nil
	}{
		{"connect again", "POST", "connect", "", 200, map[string]any{}},
		{"heartbeat without a body", "POST", "heartbeat", "", 200, nil},
		{"heartbeat that is no JSON", "POST", "heartbeat", "{", 400, nil},
		{
			"heartbeat at no time", "POST", "heartbeat", `{"sent_at":"yesterday"}`, 400,
			map[string]any{"message": "body: sent_at must be a time in RFC 3339 format"},
		},
		{"idle", "GET", "ping", "", 200, map[string]any{}},
		{"pause", "POST", "pause", `{"note":"new disk"}`, 200, map[string]any{}},
		{"paused", "GET", "ping", "", 200, map[string]any{"action": "pause", "message": "new disk"}},
		{"paused still", "GET", "ping", "", 200, map[string]any{"action": "pause", "message": "new disk"}},
		{"pause without a note", "POST", "pause", "", 200, map[string]any{}},
		{
			"paused with a reason all the same", "GET", "ping", "", 200,
			map[string]any{"action": "pause", "message": "paused from its own machine"},
		},
		{"a pause that ends by itself", "POST", "pause", `{"timeout_in_minutes":5}`, 422, nil},
		{"resume", "POST", "resume", "", 200, map[string]any{}},
		{"idle again", "GET", "ping", "", 200, map[string]any{}},
		{"stop", "POST", "stop", `{}`, 200, map[string]any{}},
		{
			"told to leave", "GET", "ping", "", 200,
			map[string]any{"action": "disconnect", "message": "stopped from its own machine"},
		},
		{"stop, with force, without sense", "POST", "stop", `{"force":"yes"}`, 400, nil},
		{"leave", "POST", "disconnect", "", 200, map[string]any{}},
		{"leave again", "POST", "disconnect", "", 200, map[string]any{}},
		{"ping once left", "GET", "ping", "", 422, nil},
		{"heartbeat once left", "POST", "heartbeat", `{"sent_at":"` + sent + `"}`, 422, nil},
	} {
		got := b.do(request{method: row.method, path: "/v3/" + row.path, token: w.token, body: row.body})
		if got.status != row.status {
			t.Fatalf("%s: status %d, %s; want %d", row.name, got.status, got.raw, row.status)
		}
		if got.status >= http.StatusBadRequest {
			_ = got.message(t)
		}
		if row.want != nil && fmt.Sprint(got.body) != fmt.Sprint(row.want) {
			t.Errorf("%s: answered %s, want %v", row.name, got.raw, row.want)
		}
	}
}

func TestHeartbeatAnswersTheTimes(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	const sent = "2026-01-02T03:04:05.123456789+02:00"
	got := b.must(200, request{method: "POST", path: "/v3/heartbeat", token: w.token, body: `{"sent_at":"` + sent + `"}`})
	if got.text("sent_at") != sent {
		t.Errorf("sent_at is %q, want it back as it was sent", got.text("sent_at"))
	}
	received, err := time.Parse(time.RFC3339Nano, got.text("received_at"))
	if err != nil || time.Since(received) > waitLimit {
		t.Errorf("received_at is %q (%v), want now", got.text("received_at"), err)
	}
}

func TestTokenIsDescribed(t *testing.T) {
	b := start(t)
	got := b.must(200, request{method: "GET", path: "/v3/token", token: b.RegistrationToken()})
	for _, field := range []string{
		"uuid", "description", "token_type", "organization_slug", "organization_uuid",
		"cluster_uuid", "cluster_name", "organization_queue_uuid", "organization_queue_key",
	} {
		if _, isText := got.body[field].(string); !isText {
			t.Errorf("%s is %v, want a string", field, got.body[field])
		}
	}
	if strings.Contains(string(got.raw), b.RegistrationToken()) {
		t.Error("the answer shows the token")
	}
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func chunkHeader() http.Header {
	return http.Header{"Content-Type": {"text/plain"}, "Content-Encoding": {"gzip"}}
}

// Section 3: the life of one job, by the calls that an agent makes.
func TestJobLifecycle(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	id, token := job.text("id"), job.text("token")
	path := "/v3/jobs/" + id
	for _, row := range []struct {
		name               string
		method, path, body string
		token              string
		header             http.Header
		status             int
		says               string
	}{
		{name: "accepted", method: "GET", path: path, status: 200, says: `"state":"accepted"`},
		{name: "start at no time", method: "PUT", path: path + "/start", body: `{"started_at":"now"}`, status: 400, says: "started_at"},
		{name: "start", method: "PUT", path: path + "/start", body: `{"started_at":"2026-01-02T03:04:05.6Z"}`, status: 200, says: "{}"},
		{name: "start again", method: "PUT", path: path + "/start", body: `{"started_at":"2026-01-02T03:04:05.6Z"}`, status: 200, says: "{}"},
		{name: "start without a body", method: "PUT", path: path + "/start", status: 200, says: "{}"},
		{name: "accept once started", method: "PUT", path: path + "/accept", token: w.token, status: 422, says: "message"},
		{name: "running", method: "GET", path: path, status: 200, says: `"state":"running"`},
		{name: "second chunk first", method: "POST", path: path + "/chunks?sequence=2&offset=6&size=6", header: chunkHeader(), body: gzipped(t, "world\n"), status: 200, says: "{}"},
		{name: "first chunk", method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", header: chunkHeader(), body: gzipped(t, "hello\n"), status: 200, says: "{}"},
		{name: "first chunk again", method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", header: chunkHeader(), body: gzipped(t, "hello\n"), status: 200, says: "{}"},
		{name: "chunk without its place", method: "POST", path: path + "/chunks", header: chunkHeader(), body: gzipped(t, "x"), status: 400, says: "sequence"},
		{name: "chunk of another size", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=9", header: chunkHeader(), body: gzipped(t, "x"), status: 400, says: "size 9"},
		{name: "chunk that is too large", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=99999999", header: chunkHeader(), body: gzipped(t, "x"), status: 413, says: "524288"},
		{name: "chunk that is no gzip", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=1", header: chunkHeader(), body: "x", status: 400, says: "gzip"},
		{name: "no attributes", method: "PUT", path: path, body: `{}`, status: 200, says: `"id":"` + id + `"`},
		{name: "a timeout", method: "PUT", path: path, body: `{"timeout":"5"}`, status: 422, says: "timeout"},
		{name: "promise", method: "PUT", path: path + "/promise_failure", body: `{"exit_status":3,"reason":"x"}`, status: 204, says: ""},
		{name: "promise to succeed", method: "PUT", path: path + "/promise_failure", body: `{"exit_status":0}`, status: 400, says: "exit_status"},
		{name: "finish with no number", method: "PUT", path: path + "/finish", body: `{"exit_status":"fine"}`, status: 400, says: "exit_status"},
		{name: "finish with a number that is not quoted", method: "PUT", path: path + "/finish", body: `{"exit_status":7}`, status: 400, says: "exit_status"},
		{name: "finish with chunks below none", method: "PUT", path: path + "/finish", body: `{"chunks_failed_count":-1}`, status: 400, says: "chunks_failed_count"},
		{name: "finish", method: "PUT", path: path + "/finish", body: `{"exit_status":"7","signal":"SIGTERM","signal_reason":"process_run_error","finished_at":"2026-01-02T03:04:06Z","chunks_failed_count":1}`, status: 200, says: "{}"},
		{name: "finish again", method: "PUT", path: path + "/finish", body: `{"exit_status":"7","signal":"SIGTERM","signal_reason":"process_run_error","finished_at":"2026-01-02T03:04:06Z","chunks_failed_count":1}`, status: 200, says: "{}"},
		{name: "start once finished", method: "PUT", path: path + "/start", status: 422, says: "message"},
		{name: "finished", method: "GET", path: path, status: 200, says: `"state":"finished"`},
	} {
		if row.token == "" {
			row.token = token
		}
		got := b.do(request{method: row.method, path: row.path, token: row.token, body: row.body, header: row.header})
		if got.status != row.status || !strings.Contains(string(got.raw), row.says) {
			t.Errorf("%s: status %d, %s; want %d, %q", row.name, got.status, got.raw, row.status, row.says)
		}
		if got.status >= http.StatusBadRequest {
			_ = got.message(t)
		}
	}
	res, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	end := res.GetJob()
	if end.GetExitStatus() != "7" || end.GetSignal() != "SIGTERM" || end.GetSignalReason() != "process_run_error" ||
		end.GetChunksFailedCount() != 1 || end.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		t.Errorf("the job ended as %v", end)
	}
}

// Section 3: the job object.
func TestAcceptedJob(t *testing.T) {
	b := start(t)
	w := b.register("builder", "q")
	req := &switchyardv1.SubmitJobRequest{
		Command: []string{"printf", "%s", "a b'c"}, Queue: "q", Priority: 4,
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
	if _, err := time.Parse(time.RFC3339Nano, job.text("runnable_at")); err != nil {
		t.Errorf("runnable_at: %v", err)
	}
	if job.text("token") == "" || job.text("token") == w.token {
		t.Errorf("token is %q, want one of the job's own", job.text("token"))
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
			t.Errorf("env BUILDKITE_%s is empty; agents by others refuse the job", name)
		}
	}
}

// What is checked out is what the submitter said; without a branch it is the repository's own choice.
func TestAcceptedJobWithARepository(t *testing.T) {
	b := start(t)
	for _, c := range []struct {
		given, want map[string]string
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
		job := b.accepted(w, &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", Env: c.given})
		env, _ := job.body["env"].(map[string]any)
		for name, want := range c.want {
			if got, _ := env[name].(string); got != want {
				t.Errorf("given %v: %s is %q, want %q", c.given, name, got, want)
			}
		}
	}
}

func TestAcceptedJobKeepsTheTokensOfOneAcceptance(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.accepted(w, queued("q"))
	path := "/v3/jobs/" + first.text("id")
	second := b.must(200, request{method: "PUT", path: path + "/accept", token: w.token})
	for name, token := range map[string]string{"first": first.text("token"), "second": second.text("token")} {
		got := b.do(request{method: "GET", path: path, token: token})
		if got.status != 200 {
			t.Errorf("the %s acceptance's token: status %d, want 200", name, got.status)
		}
	}
}

func TestAcceptRefusals(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	waiting := b.submit("nobody", "true")
	for _, row := range []struct {
		name, id string
		status   int
	}{
		{"unknown", "018f4e8e-0000-7000-8000-000000000000", 404},
		{"no id at all", "nonsense", 404},
		{"escaped nonsense", "a%2Eb%2Fc%00", 404},
		{"not offered to this worker", waiting.GetId(), 422},
	} {
		got := b.do(request{method: "PUT", path: "/v3/jobs/" + row.id + "/accept", token: w.token})
		if got.status != row.status {
			t.Errorf("%s: status %d, %s; want %d", row.name, got.status, got.raw, row.status)
		}
		_ = got.message(t)
	}
}

// Section 3: acquire, with 423 where waiting helps and 422 where it does not.
func TestAcquire(t *testing.T) {
	b := start(t)
	w := b.register("acquirer", "other")
	path := func(id string) string { return "/v3/jobs/" + id + "/acquire" }
	header := http.Header{"X-Buildkite-Lock-Acquire-Job": {"1"}, "X-Buildkite-Backoff-Sequence": {"0"}}

	free := b.submit("q", "true")
	got := b.must(200, request{method: "PUT", path: path(free.GetId()), token: w.token, header: header})
	if got.text("state") != "accepted" || got.text("token") == "" {
		t.Errorf("acquiring a job of another queue was answered %s", got.raw)
	}
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + free.GetId() + "/finish", token: got.text("token"), body: `{"exit_status":"0"}`})

	owner := b.register("owner", "q")
	offered := b.submit("q", "true")
	b.pingUntil(owner, func(a answer) bool { return a.body["job"] != nil })
	locked := b.must(http.StatusLocked, request{method: "PUT", path: path(offered.GetId()), token: w.token, header: header})
	if locked.header.Get("Retry-After") == "" {
		t.Error("423 without Retry-After")
	}
	_ = locked.message(t)
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + offered.GetId() + "/accept", token: owner.token})
	_ = b.must(422, request{method: "PUT", path: path(offered.GetId()), token: w.token, header: header}).message(t)
	_ = b.must(422, request{method: "PUT", path: path(free.GetId()), token: w.token, header: header}).message(t)
	_ = b.must(404, request{method: "PUT", path: path("nonsense"), token: w.token, header: header}).message(t)
}

// A cancelled job is told to stop by its state, and its end is recorded as such.
func TestCancelOfARunningJob(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(200, request{method: "PUT", path: path + "/start", token: token})
	if _, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: job.text("id"), Reason: "no need"}); err != nil {
		t.Fatal(err)
	}
	if got := b.must(200, request{method: "GET", path: path, token: token}); got.text("state") != "canceling" {
		t.Errorf("state is %q, want canceling", got.text("state"))
	}
	b.must(200, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"143","signal":"SIGTERM","signal_reason":"cancel"}`})
	if got := b.stateOf(job.text("id")); got != switchyardv1.JobState_JOB_STATE_CANCELED {
		t.Errorf("the job is %v, want canceled", got)
	}
}

// The command line inside a job acts on the job's worker with the job's token.
func TestAJobPausesItsWorker(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	b.must(200, request{method: "POST", path: "/v3/pause", token: job.text("token"), body: `{"note":"broken disk"}`})
	res, err := b.agents.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.GetWorkers()[0]; !got.GetPaused() || got.GetPauseReason() != "broken disk" {
		t.Errorf("the worker is %v, want it paused", got)
	}
}
