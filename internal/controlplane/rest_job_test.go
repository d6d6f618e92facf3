package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// One job from acceptance to its end, by the calls of an agent.
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
		contains           string
	}{
		{name: "accepted", method: "GET", path: path, status: 200, contains: `"state":"accepted"`},
		{name: "start, invalid time", method: "PUT", path: path + "/start", body: `{"started_at":"now"}`, status: 400, contains: "started_at"},
		{name: "start", method: "PUT", path: path + "/start", body: `{"started_at":"2026-01-02T03:04:05.6Z"}`, status: 200, contains: "{}"},
		{name: "start again", method: "PUT", path: path + "/start", body: `{"started_at":"2026-01-02T03:04:05.6Z"}`, status: 200, contains: "{}"},
		{name: "start without a body", method: "PUT", path: path + "/start", status: 200, contains: "{}"},
		{name: "accept after start", method: "PUT", path: path + "/accept", token: w.token, status: 422, contains: "message"},
		{name: "running", method: "GET", path: path, status: 200, contains: `"state":"running"`},
		{name: "second chunk first", method: "POST", path: path + "/chunks?sequence=2&offset=6&size=6", header: chunkHeader(), body: gzipped(t, "world\n"), status: 200, contains: "{}"},
		{name: "first chunk", method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", header: chunkHeader(), body: gzipped(t, "hello\n"), status: 200, contains: "{}"},
		{name: "first chunk again", method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", header: chunkHeader(), body: gzipped(t, "hello\n"), status: 200, contains: "{}"},
		{name: "chunk without a query", method: "POST", path: path + "/chunks", header: chunkHeader(), body: gzipped(t, "x"), status: 400, contains: "sequence"},
		{name: "chunk of wrong size", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=9", header: chunkHeader(), body: gzipped(t, "x"), status: 400, contains: "size 9"},
		{name: "chunk too large", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=99999999", header: chunkHeader(), body: gzipped(t, "x"), status: 413, contains: "524288"},
		{name: "chunk not gzip", method: "POST", path: path + "/chunks?sequence=3&offset=12&size=1", header: chunkHeader(), body: "x", status: 400, contains: "gzip"},
		{name: "no attributes", method: "PUT", path: path, body: `{}`, status: 200, contains: `"id":"` + id + `"`},
		{name: "attribute timeout", method: "PUT", path: path, body: `{"timeout":"5"}`, status: 422, contains: "timeout"},
		{name: "promise failure", method: "PUT", path: path + "/promise_failure", body: `{"exit_status":3,"reason":"x"}`, status: 204, contains: ""},
		{name: "promise success", method: "PUT", path: path + "/promise_failure", body: `{"exit_status":0}`, status: 400, contains: "exit_status"},
		{name: "finish, exit status not a number", method: "PUT", path: path + "/finish", body: `{"exit_status":"fine"}`, status: 400, contains: "exit_status"},
		{name: "finish, exit status not quoted", method: "PUT", path: path + "/finish", body: `{"exit_status":7}`, status: 400, contains: "exit_status"},
		{name: "finish, negative chunk count", method: "PUT", path: path + "/finish", body: `{"chunks_failed_count":-1}`, status: 400, contains: "chunks_failed_count"},
		{name: "finish, negative usage", method: "PUT", path: path + "/finish", body: `{"switchyard_usage":{"cpu_us":-1}}`, status: 400, contains: "switchyard_usage"},
		{name: "finish", method: "PUT", path: path + "/finish", body: `{"exit_status":"7","signal":"SIGTERM","signal_reason":"process_run_error","finished_at":"2026-01-02T03:04:06Z","chunks_failed_count":1,"switchyard_usage":{"wall_us":1500000,"cpu_us":300,"peak_memory_bytes":4096,"group":true}}`, status: 200, contains: "{}"},
		{name: "finish again", method: "PUT", path: path + "/finish", body: `{"exit_status":"7","signal":"SIGTERM","signal_reason":"process_run_error","finished_at":"2026-01-02T03:04:06Z","chunks_failed_count":1}`, status: 200, contains: "{}"},
		{name: "start after finish", method: "PUT", path: path + "/start", status: 401, contains: "message"},
		{name: "finished", method: "GET", path: path, status: 401, contains: "message"},
	} {
		if row.token == "" {
			row.token = token
		}
		got := b.do(request{method: row.method, path: row.path, token: row.token, body: row.body, header: row.header})
		if got.status != row.status || !strings.Contains(string(got.raw), row.contains) {
			t.Errorf("%s: status %d, %s; want %d, %q", row.name, got.status, got.raw, row.status, row.contains)
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
		t.Errorf("final job %v", end)
	}
	if used := end.GetUsage(); used.GetWall().AsDuration() != 1500*time.Millisecond || used.GetCpu().AsDuration() != 300*time.Microsecond ||
		used.GetPeakMemory() != 4096 || !used.GetGroup() {
		t.Errorf("usage %v", used)
	}
}

// The agent learns of a cancellation from the job's state, and the job ends as
// canceled.
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

// The limit of a log is announced with the job, kept, and told with the job's result.
func TestLogLimitIsAnnouncedAndKept(t *testing.T) {
	const limit = 64 << 10
	b := start(t, func(c *controlplane.Config) { c.MaxLog = limit })
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	if got := job.body["log_max_size_bytes"]; got != float64(limit) {
		t.Errorf("the announced limit is %v, want %d", got, limit)
	}
	id, token := job.text("id"), job.text("token")
	path := "/v3/jobs/" + id
	b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token})
	for _, row := range []struct {
		query  string
		size   int
		status int
	}{
		{"sequence=1&offset=0&size=65000", 65000, http.StatusOK},
		{"sequence=2&offset=65000&size=1000", 1000, http.StatusRequestEntityTooLarge},
		{"sequence=3&offset=66000&size=1000", 1000, http.StatusRequestEntityTooLarge},
	} {
		got := b.do(request{
			method: "POST", path: path + "/chunks?" + row.query, token: token, header: chunkHeader(),
			body: gzipped(t, strings.Repeat("x", row.size)),
		})
		if got.status != row.status || row.status != http.StatusOK && !strings.Contains(got.message(t), "reached its limit of 65536 bytes") {
			t.Errorf("%s: %d, %s", row.query, got.status, got.raw)
		}
	}
	b.must(http.StatusOK, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`})
	res, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.GetJob(); !got.GetLogCut() || got.GetLogSize() <= limit {
		t.Errorf("the job has a log of %d bytes, cut: %v", got.GetLogSize(), got.GetLogCut())
	}
}
