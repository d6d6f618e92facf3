package controlplane_test

import (
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// An agent that was started again names the job of its former worker, whose lease
// expires: the job runs on, until it is no longer named.
func TestAJobThatIsNamedIsNotLost(t *testing.T) {
	b := start(t, func(c *controlplane.Config) {
		c.HeartbeatInterval, c.LeaseTimeout = time.Second, 1200*time.Millisecond
	})
	former, again := b.register("former", "q"), b.register("again", "other")
	job := b.accepted(former, queued("q"))
	id := job.text("id")
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/start", token: job.text("token"), body: `{}`})

	names := http.Header{"Switchyard-Jobs": {unknownID + ", " + id}}
	b.repeat("the former worker is lost", func() bool {
		b.must(http.StatusOK, request{method: "POST", path: "/v3/heartbeat", token: again.token, body: `{}`, header: names})
		res, err := b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{
			States: []switchyardv1.WorkerState{switchyardv1.WorkerState_WORKER_STATE_LOST},
		})
		return err == nil && len(res.GetWorkers()) == 1 && res.GetWorkers()[0].GetId() == former.id
	})
	if state := b.stateOf(id); state != switchyardv1.JobState_JOB_STATE_RUNNING {
		t.Errorf("the job is %v, want running", state)
	}
	b.repeat("the job is lost", func() bool {
		b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: again.token})
		return b.stateOf(id) == switchyardv1.JobState_JOB_STATE_LOST
	})
	res, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		t.Fatal(err)
	}
	got := res.GetJob()
	if got.GetOutcome() != switchyardv1.JobOutcome_JOB_OUTCOME_LOST || got.GetLostReason() != "its worker was silent for 1.2s" {
		t.Errorf("the outcome is %v: %q", got.GetOutcome(), got.GetLostReason())
	}
	var events []string
	for _, entry := range got.GetHistory() {
		events = append(events, entry.GetEvent())
	}
	if len(events) != 5 || events[0] != "Submitted" || events[4] != "Silent" {
		t.Errorf("the history is %v", events)
	}
}

// repeat calls is until it returns true.
func (b *bed) repeat(what string, is func() bool) {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for !is() {
		if time.Now().After(deadline) {
			b.t.Fatalf("still not: %s", what)
		}
	}
}

// After its end a job has no right but to its result and its last log chunks.
func TestAJobTokenEndsWithTheJob(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	token, path := job.text("token"), "/v3/jobs/"+job.text("id")
	finish := request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`}
	b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token, body: `{}`})
	b.must(http.StatusOK, request{method: "POST", path: "/v3/pause", token: token, body: `{}`})
	b.must(http.StatusOK, request{method: "POST", path: "/v3/resume", token: token, body: `{}`})
	b.pause(w.id) // by an operator
	b.must(http.StatusUnprocessableEntity, request{method: "POST", path: "/v3/resume", token: token, body: `{}`})
	b.must(http.StatusUnprocessableEntity, request{method: "POST", path: "/v3/resume", token: w.token, body: `{}`})
	b.must(http.StatusOK, finish)
	for _, call := range []string{"/v3/stop", "/v3/pause", "/v3/resume", path + "/data/get"} {
		b.must(http.StatusUnauthorized, request{method: "POST", path: call, token: token, body: `{"force":true}`})
	}
	b.must(http.StatusOK, finish)
	b.must(http.StatusOK, request{
		method: "POST", path: path + "/chunks?sequence=1&offset=0&size=2", token: token,
		body: gzipped(t, "hi"), header: chunkHeader(),
	})
	b.must(http.StatusBadRequest, request{
		method: "POST", path: path + "/chunks?sequence=2&offset=9223372036854775808&size=2", token: token,
		body: gzipped(t, "hi"), header: chunkHeader(),
	})
}

// An agent of ours reads the timeout in seconds, others in minutes.
func TestTheTimeoutOfAnAcceptedJob(t *testing.T) {
	b := start(t)
	req := queued("q")
	req.Timeout = durationpb.New(90500 * time.Millisecond)
	job := b.accepted(b.register("w", "q"), req)
	env, _ := job.body["env"].(map[string]any)
	if job.body["switchyard_timeout_seconds"] != 91.0 || env["BUILDKITE_TIMEOUT"] != "2" {
		t.Errorf("the timeout is %v s and %v min", job.body["switchyard_timeout_seconds"], env["BUILDKITE_TIMEOUT"])
	}
	job = b.accepted(b.register("w2", "q2"), queued("q2"))
	if got, sent := job.body["switchyard_timeout_seconds"]; sent {
		t.Errorf("a job without a timeout has one of %v s", got)
	}
}

// Jobs are listed by how they ended, as the records are now.
func TestJobsByOutcome(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	end := func(body string) string {
		job := b.accepted(w, queued("q"))
		path, token := "/v3/jobs/"+job.text("id"), job.text("token")
		b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token, body: `{}`})
		b.must(http.StatusOK, request{method: "PUT", path: path + "/finish", token: token, body: body})
		return job.text("id")
	}
	want := map[switchyardv1.JobOutcome]string{
		switchyardv1.JobOutcome_JOB_OUTCOME_SUCCEEDED: end(`{"exit_status":"0"}`),
		switchyardv1.JobOutcome_JOB_OUTCOME_FAILED:    end(`{"exit_status":"7"}`),
		switchyardv1.JobOutcome_JOB_OUTCOME_NEVER_RAN: end(`{"exit_status":"-1","signal_reason":"process_run_error"}`),
		switchyardv1.JobOutcome_JOB_OUTCOME_LOST:      end(`{"exit_status":"-1","signal_reason":"agent_stop"}`),
	}
	waiting := b.submit("elsewhere", "true").GetId()
	if _, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: waiting}); err != nil {
		t.Fatal(err)
	}
	want[switchyardv1.JobOutcome_JOB_OUTCOME_CANCELED] = waiting
	for outcome, id := range want {
		res, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{Outcomes: []switchyardv1.JobOutcome{outcome}})
		if err != nil {
			t.Fatal(err)
		}
		if jobs := res.GetJobs(); len(jobs) != 1 || jobs[0].GetId() != id || jobs[0].GetOutcome() != outcome {
			t.Errorf("%v: got %v, want only job %s", outcome, jobs, id)
		}
	}
}
