package agent

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunNamesItsJob runs an agent whose control plane refuses a job's result until a
// heartbeat has named the job.
func TestRunNamesItsJob(t *testing.T) {
	t.Parallel()
	var named, finished atomic.Bool
	var daemon *Agent
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{}`
		switch r.Method + " " + r.URL.Path {
		case "POST /v3/register":
			body = `{"id":"w","access_token":"s","heartbeat_interval":1,"ping_interval":1}`
		case "GET /v3/ping":
			if finished.Load() {
				daemon.Drain()
				break
			}
			body = `{"job":{"id":"J1"}}`
		case "PUT /v3/jobs/J1/accept":
			body = `{"id":"J1","token":"t","chunks_max_size_bytes":1000,"env":{"BUILDKITE_COMMAND":"true"}}`
		case "POST /v3/heartbeat":
			if r.Header.Get(wire.HeaderJobs) == "J1" {
				named.Store(true)
			}
		case "PUT /v3/jobs/J1/finish":
			if !named.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			finished.Store(true)
		}
		_, _ = io.WriteString(w, body)
	}))
	defer control.Close()
	daemon, err := New(Config{
		Endpoints: []string{control.URL + "/v3"}, Token: "registration", Mode: fsm.PollOnly,
		Job: job.Settings{BuildPath: t.TempDir()}, SpoolPath: t.TempDir() + "/spool",
	})
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(2*time.Minute, daemon.Force)
	if err := daemon.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if !named.Load() || !finished.Load() {
		t.Errorf("named %v, finished %v", named.Load(), finished.Load())
	}
}

// TestRegistered calls Registered once, when the last of several workers is registered.
func TestRegistered(t *testing.T) {
	t.Parallel()
	var registered, calls atomic.Int32
	var daemon *Agent
	control := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{}`
		if r.URL.Path == "/v3/register" {
			registered.Add(1)
			body = `{"id":"w","access_token":"s","heartbeat_interval":1,"ping_interval":1}`
		}
		_, _ = io.WriteString(w, body)
	}))
	defer control.Close()
	const workers = 5
	daemon, err := New(Config{
		Endpoints: []string{control.URL + "/v3"}, Token: "registration", Mode: fsm.PollOnly, Spawn: workers,
		Job: job.Settings{BuildPath: t.TempDir()},
		Registered: func() {
			calls.Add(1)
			if n := registered.Load(); n != workers {
				t.Errorf("called when %d workers are registered", n)
			}
			daemon.Drain()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Run(t.Context()); err != nil || calls.Load() != 1 {
		t.Errorf("%v; called %d times", err, calls.Load())
	}
}
