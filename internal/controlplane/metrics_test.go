package controlplane_test

import (
	"bufio"
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/telemetry/metricsdoc"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// scrapeText returns /metrics, read with a token.
func (b *bed) scrapeText(token string) []byte {
	b.t.Helper()
	return b.must(http.StatusOK, request{
		method: "GET", path: "/metrics", header: http.Header{"Authorization": {"Bearer " + token}},
	}).raw
}

// scrape returns the samples of /metrics, "NAME{LABELS} VALUE" each, read with a token.
func (b *bed) scrape(token string) []string {
	b.t.Helper()
	raw := b.scrapeText(token)
	var samples []string
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		if text := lines.Text(); !strings.HasPrefix(text, "#") {
			samples = append(samples, text)
		}
	}
	if problems, err := promlint.New(bytes.NewReader(raw)).Lint(); err != nil || len(problems) > 0 {
		b.t.Errorf("/metrics: %v, %v", problems, err)
	}
	return samples
}

// wantSamples scrapes until every sample is there. Some follow an event a moment later.
func (b *bed) wantSamples(want ...string) {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for ; ; <-again.C {
		samples := b.scrape(b.AdminToken())
		missing := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(samples, s) })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ours := slices.DeleteFunc(samples, func(s string) bool { return !strings.HasPrefix(s, "switchyard_") || strings.Contains(s, "_bucket") })
			b.t.Fatalf("missing from /metrics:\n%s\nthere are:\n%s", strings.Join(missing, "\n"), strings.Join(ours, "\n"))
		}
	}
}

// What there is and what has happened is in /metrics, and all of it is documented.
func TestMetrics(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	b.wantSamples(
		`switchyard_workers{connection="poll",queue="q",state="idle"} 1`,
		`switchyard_jobs{queue="q",state="queued"} 0`, `switchyard_queue_oldest_seconds{queue="q"} 0`, `switchyard_streams 0`,
		`switchyard_store_up 1`, `switchyard_store_full{cause="disk"} 0`, `switchyard_store_full{cause="max_store"} 0`,
	)
	s := b.stream(w)
	s.expect("resume")
	b.wantSamples(`switchyard_workers{connection="stream",queue="q",state="idle"} 1`, `switchyard_streams 1`)
	first := b.submit("q", "true").GetId()
	s.expect("job " + first)
	token := b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + first + "/accept", token: w.token}).text("token")
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + first + "/start", token: token})
	b.submit("q", "true")
	b.wantSamples(
		`switchyard_workers{connection="stream",queue="q",state="busy"} 1`,
		`switchyard_jobs{queue="q",state="running"} 1`, `switchyard_jobs{queue="q",state="queued"} 1`,
		`switchyard_jobs_submitted_total{queue="q"} 2`,
		`switchyard_job_since_submit_seconds_count{queue="q",until="assigned"} 1`,
		`switchyard_job_since_submit_seconds_count{queue="q",until="accepted"} 1`,
		`switchyard_job_since_submit_seconds_count{queue="q",until="started"} 1`,
		`switchyard_http_requests_total{code="200",route="/v3/jobs/{id}/start"} 1`,
	)
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + first + "/finish", token: token, body: `{"exit_status":"7"}`})
	b.wantSamples( // the second job is offered now, and withdrawn by the pause
		`switchyard_jobs_ended_total{outcome="failed",queue="q"} 1`,
		`switchyard_job_since_submit_seconds_count{queue="q",until="finished"} 1`, `switchyard_job_run_seconds_count{queue="q"} 1`,
		`switchyard_jobs{queue="q",state="finished"} 1`, `switchyard_jobs{queue="q",state="assigned"} 1`,
	)
	b.pause(w.id)
	b.wantSamples(
		`switchyard_workers{connection="stream",queue="q",state="paused"} 1`,
		`switchyard_jobs_requeued_total{event="WorkerPaused"} 1`, `switchyard_worker_changes_total{event="PauseRequested"} 1`,
	)
	s.cancel()
	b.wantSamples(
		`switchyard_streams 0`, `switchyard_stream_duration_seconds_count{reason="disconnected"} 1`,
		`switchyard_http_requests_total{code="200",route="/switchyard.v1.JobService/SubmitJob"} 2`,
	)
	b.do(request{method: "GET", path: "/v3/nothing/" + strings.Repeat("x", 50), token: w.token})
	b.do(request{method: "GET", path: "/v3/ping"})
	b.wantSamples(
		`switchyard_http_requests_total{code="404",route="other"} 1`, `switchyard_http_requests_total{code="401",route="/v3/ping"} 1`,
	)
	b.submitted(&switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: "q", Tags: []string{"gpu=a100"}})
	b.wantSamples(`switchyard_jobs_unmatched{queue="q"} 1`, `switchyard_jobs{queue="q",state="queued"} 2`)
	metricsdoc.Check(t, "controlplane", b.scrapeText(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ)), *update)
}

// A worker that falls silent, and a job that is lost with it, are counted.
func TestMetricsOfALoss(t *testing.T) {
	t.Parallel()
	// The lease is long enough for the calls of a job on a busy machine.
	b := start(t, func(c *controlplane.Config) { c.HeartbeatInterval, c.LeaseTimeout = time.Second, waitLimit/2 })
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + job.text("id") + "/start", token: job.text("token")})
	b.wantSamples(
		`switchyard_jobs_lost_total{event="Silent"} 1`, `switchyard_jobs_lost_total{event="Absent"} 0`,
		`switchyard_jobs_ended_total{outcome="lost",queue="q"} 1`, `switchyard_workers{connection="poll",queue="q",state="lost"} 1`,
	)
}

// The access log has the requests that it is asked for, by route, and no token.
func TestAccessLog(t *testing.T) {
	for which, want := range map[string][]string{
		"off":    nil,
		"errors": {"GET /v3/ping 401", "POST /switchyard.v1.JobService/GetJob 404", "POST /switchyard.v1.JobService/GetJob not_found"},
		"all": {
			"POST /v3/register 200", "POST /v3/connect 200", "GET /v3/ping 401", "GET /readyz 200",
			"POST /switchyard.v1.JobService/GetJob 404", "POST /switchyard.v1.JobService/GetJob not_found",
		},
	} {
		t.Run(which, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			b := start(t, func(c *controlplane.Config) { c.AccessLog, c.Logger = which, zap.New(core) })
			b.register("w", "q")
			b.do(request{method: "GET", path: "/v3/ping", token: "no-token-of-this-server"})
			b.do(request{method: "GET", path: "/readyz"})
			if _, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: unknownID}); err == nil {
				t.Error("a job that does not exist was found")
			}
			h2c := &http.Client{Transport: protocolsOf(t, (*http.Protocols).SetUnencryptedHTTP2), Timeout: waitLimit}
			overGRPC := switchyardv1connect.NewJobServiceClient(h2c, b.URL(), bearer(b.AdminToken()), connect.WithGRPC())
			if _, err := overGRPC.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: unknownID}); err == nil {
				t.Error("a job that does not exist was found")
			}
			var got []string
			for _, line := range logs.FilterMessage("request").All() {
				fields := line.ContextMap()
				got = append(got, strings.Join([]string{fields["method"].(string), fields["route"].(string), fields["code"].(string)}, " "))
				if fields["address"] != "127.0.0.1" || fields["path"] == "" || fields["took"] == nil {
					t.Errorf("fields of a line: %v", fields)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
