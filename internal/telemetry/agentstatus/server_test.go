package agentstatus

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/telemetry/metricsdoc"
)

var update = flag.Bool("update", false, "rewrite the table of the metrics")

func noPicture(io.Writer, fsm.State) error { return nil }

// get returns the status and body of a request to a server, named as host.
func get(t *testing.T, s *Server, path, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Address()+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// An agent that has run one job: what it does is in /status, what it did in /metrics,
// and all of that is documented.
func TestStatusOfAnAgent(t *testing.T) {
	t.Parallel()
	pinged := make(chan struct{}, 100)
	var finished atomic.Bool
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{}`
		switch r.Method + " " + r.URL.Path {
		case "POST /v3/register":
			body = `{"id":"w1","access_token":"s","heartbeat_interval":10,"ping_interval":1}`
		case "GET /v3/ping":
			if !finished.Load() {
				body = `{"job":{"id":"J1"}}`
				break
			}
			pinged <- struct{}{}
		case "PUT /v3/jobs/J1/accept":
			body = `{"id":"J1","token":"t","chunks_max_size_bytes":1000,"env":{"BUILDKITE_COMMAND":"echo 12345"}}`
		case "PUT /v3/jobs/J1/finish":
			finished.Store(true)
		}
		_, _ = io.WriteString(w, body)
	}))
	defer control.Close()
	m := New()
	daemon, err := agent.New(agent.Config{
		Endpoints: []string{control.URL + "/v3"}, Token: "registration", Name: "builder", Mode: fsm.PollOnly, Queue: "linux", Version: "1.2.3",
		Job: job.Settings{BuildPath: t.TempDir()}, SpoolPath: t.TempDir() + "/spool", Observe: m.Observe, JobEnded: m.JobEnded,
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Listen(t.Context(), ":0", Page{daemon.Status, noPicture}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !strings.HasPrefix(s.Address(), "127.0.0.1:") {
		t.Errorf("serves %s, want loopback", s.Address())
	}
	ran := make(chan error, 1)
	go func() { ran <- daemon.Run(context.WithoutCancel(t.Context())) }()
	defer func() {
		daemon.Drain()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}()
	for range 2 { // the second one begins after the first was answered
		select {
		case <-pinged:
		case <-time.After(20 * time.Second):
			t.Fatal("no ping after the job")
		}
	}
	if status, body := get(t, s, "/healthz", ""); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	_, body := get(t, s, "/status", "")
	var status agent.Status
	if err := json.Unmarshal([]byte(body), &status); err != nil || len(status.Workers) != 1 {
		t.Fatalf("/status: %v\n%s", err, body)
	}
	w := status.Workers[0]
	if w.ID != "w1" || w.Name != "builder" || w.Since.IsZero() || w.StateName != "FallingBack" && w.StateName != "PollingBusy" ||
		len(w.Changes) == 0 || w.Changes[0].From != "Initial" || status.Queue != "linux" || status.Version != "1.2.3" || status.Draining {
		t.Errorf("/status:\n%s", body)
	}
	_, scrape := get(t, s, "/metrics", "")
	for _, sample := range []string{
		`switchyard_agent_jobs_total{outcome="succeeded"} 1`,
		`switchyard_agent_job_run_seconds_count 1`, `switchyard_agent_pings_total{result="AnsweredJob"} 1`,
		`switchyard_agent_undelivered_results 0`, `switchyard_agent_draining 0`, `switchyard_agent_jobs_running 0`,
	} {
		if !strings.Contains(scrape, "\n"+sample+"\n") {
			t.Errorf("missing from /metrics: %s", sample)
		}
	}
	if !regexp.MustCompile(`(?m)^switchyard_agent_job_output_bytes_total [1-9]`).MatchString(scrape) {
		t.Error("the output of the job is not counted")
	}
	if problems, err := testutil.GatherAndLint(m.registry); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
	metricsdoc.Check(t, "agent", []byte(scrape), *update)
}

// On loopback the status is served to requests for an address of this machine only.
func TestForeignNamesAreRefused(t *testing.T) {
	t.Parallel()
	s, err := New().Listen(t.Context(), "127.0.0.1:0", Page{func() agent.Status { return agent.Status{} }, noPicture}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for host, want := range map[string]int{
		"": http.StatusOK, "localhost:1": http.StatusOK, "127.0.0.1": http.StatusOK, "[::1]:80": http.StatusOK,
		"evil.example": http.StatusForbidden, "evil.example:80": http.StatusForbidden,
	} {
		if status, body := get(t, s, "/status", host); status != want {
			t.Errorf("host %q: %d, want %d: %s", host, status, want, body)
		}
	}
	for _, path := range []string{"/nothing", "/status/x", "/machine/Nowhere.svg", "/machine/Running"} {
		if status, _ := get(t, s, path, ""); status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
}

// A bad address is an error that names it; one that others can reach is warned about.
func TestListen(t *testing.T) {
	t.Parallel()
	none := Page{func() agent.Status { return agent.Status{} }, noPicture}
	for _, address := range []string{"9090", "127.0.0.1:port", "203.0.113.1:1"} {
		if _, err := New().Listen(t.Context(), address, none, zap.NewNop()); err == nil || !strings.Contains(err.Error(), address) {
			t.Errorf("%q: %v", address, err)
		}
	}
	core, logs := observer.New(zap.WarnLevel)
	s, err := New().Listen(t.Context(), "0.0.0.0:0", none, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if logs.Len() != 1 || !strings.Contains(logs.All()[0].Message, "without authentication") {
		t.Errorf("log: %v", logs.All())
	}
}
