package controlplane_test

import (
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// At the limit of the store a new job is refused, with the limit, its value and its
// flag. All else is served: the server stays ready, and a job that runs ends.
func TestLimitOfTheStore(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.MaxStore = store.MinMaxStore })
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token})
	var err error
	for n := 0; err == nil && n < 100; n++ {
		_, err = b.jobs.SubmitJob(t.Context(), &switchyardv1.SubmitJobRequest{
			Command: []string{"true"}, Queue: "nobody", Env: map[string]string{"X": strings.Repeat("x", 100_000)},
		})
	}
	const limit = "more than 22 % of its limit of 16.0 MiB (set with --max-store); raise --max-store"
	if connect.CodeOf(err) != connect.CodeResourceExhausted || !strings.Contains(err.Error(), limit) {
		t.Fatalf("submitting above the limit: %v", err)
	}
	ready := b.must(http.StatusOK, request{method: "GET", path: "/readyz"})
	if body := string(ready.raw); !strings.HasPrefix(body, "ok\n") || !strings.Contains(body, limit) {
		t.Errorf("/readyz: %q", body)
	}
	b.wantSamples(
		`switchyard_store_full{cause="max_store"} 1`, `switchyard_store_full{cause="disk"} 0`, `switchyard_store_up 1`,
		`switchyard_store_max_bytes 1.6777216e+07`, `switchyard_store_limit_bytes{stream="state"} 3.690984e+06`,
	)
	b.must(http.StatusOK, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"7"}`})
	if state := b.stateOf(job.text("id")); state != switchyardv1.JobState_JOB_STATE_FINISHED {
		t.Errorf("the job is %v", state)
	}
}
