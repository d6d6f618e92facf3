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
	first := queued("q")
	first.IdempotencyKey = "first"
	job := b.accepted(w, first)
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
	again, err := b.jobs.SubmitJob(t.Context(), first)
	if err != nil || again.GetJob().GetId() != job.text("id") {
		t.Errorf("submitting the first job again: %v, %v", again, err)
	}
	stored := b.messagesOfState()
	refused := queued("nobody")
	refused.IdempotencyKey = "refused"
	if _, err := b.jobs.SubmitJob(t.Context(), refused); connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("submitting with a key above the limit: %v", err)
	}
	if now := b.messagesOfState(); now != stored {
		t.Errorf("a job that is refused leaves its key: %s, and then %s", stored, now)
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

// messagesOfState returns the sample of how many records the state has.
func (b *bed) messagesOfState() string {
	b.t.Helper()
	for _, sample := range b.scrape(b.AdminToken()) {
		if strings.HasPrefix(sample, `switchyard_store_messages{stream="state"}`) {
			return sample
		}
	}
	b.t.Fatal("no sample of the records of the state")
	return ""
}
