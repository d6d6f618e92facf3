package agentstatus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
)

func someStatus() agent.Status {
	since := time.Now().Add(-47 * time.Second)
	return agent.Status{
		Hostname: "box<1>", Queue: "linux", Version: "1.2.3", PID: 7, Started: since, Undelivered: []string{"J9"}, SpoolBytes: 12,
		Workers: []agent.WorkerStatus{{
			ID: "w", Name: "box-1", StateName: "FallingBack", Since: since, Stream: "down", Paused: true, JobID: "J1",
			FailedPings: 3, PingFailure: `dial <script>alert("x")</script>`,
			Changes: []agent.Change{
				{At: since, From: "Initial", To: "StreamHealthy", Event: "Started"},
				{At: since, From: "StreamHealthy", To: "FallingBack", Event: "StreamLost", Cause: "connection reset"},
			},
		}},
	}
}

// The page shows each worker, escapes what comes from outside, and allows no script.
func TestPage(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	Page{someStatus, func(w io.Writer, state fsm.State) error {
		_, err := fmt.Fprintf(w, "<svg>%v</svg>", state)
		return err
	}}.routes(mux)
	for _, row := range []struct {
		path, kind string
		want       []string
	}{
		{"/", "text/html; charset=utf-8", []string{
			"Agent on box&lt;1&gt;", "queue linux · version 1.2.3 · process 7 · up for 47s", "workers: 1 · undelivered results: 1 · spool: 12 bytes",
			"undelivered result of job J9", "<h2>box-1</h2>", "<strong>FallingBack</strong> for 47s · stream down · <strong>paused</strong> · job J1",
			"failed pings: 3, the last one: dial &lt;script&gt;", `<img src="machine/FallingBack.svg"`,
			"<td>StreamHealthy<td>FallingBack<td>StreamLost: connection reset", `http-equiv="refresh"`,
		}},
		{"/page.css", "text/css; charset=utf-8", []string{"prefers-color-scheme: dark"}},
		{"/machine/FallingBack.svg", "image/svg+xml", []string{"<svg>FallingBack</svg>"}},
		{"/status", "application/json", []string{`"failed_pings": 3`}},
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, row.path, http.NoBody))
		body, header := w.Body.String(), w.Header()
		if w.Code != http.StatusOK || header.Get("Content-Type") != row.kind {
			t.Errorf("%s: %d %s", row.path, w.Code, header.Get("Content-Type"))
		}
		for _, want := range row.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%s", row.path, want, body)
			}
		}
		if strings.Contains(body, "<script") && row.path == "/" {
			t.Errorf("%s has a script", row.path)
		}
		if row.path != "/status" && !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'; ") {
			t.Errorf("%s: policy %q", row.path, header.Get("Content-Security-Policy"))
		}
	}
}

// The status is asked for on a socket; one that an earlier agent has left is replaced.
func TestSocket(t *testing.T) {
	t.Parallel()
	path, flushed := filepath.Join(t.TempDir(), "s"), 0
	if _, err := Ask(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without an agent: %v", err)
	}
	for range 2 {
		s, err := ListenSocket(context.WithoutCancel(t.Context()), path, someStatus, func() { flushed++ }, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		got, err := Ask(t.Context(), path)
		if err != nil || len(got.Workers) != 1 || got.Workers[0].Changes[1].Cause != "connection reset" {
			t.Errorf("status %+v, %v", got, err)
		}
		if err := Flush(t.Context(), path); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	if flushed != 2 {
		t.Errorf("flushed %d times, want 2", flushed)
	}
	if _, err := ListenSocket(t.Context(), filepath.Join(path, "s"), someStatus, func() {}, zap.NewNop()); err == nil {
		t.Error("a socket below no directory was served")
	}
}
