package agent

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// receiver is a control plane that records the calls about one job.
type receiver struct {
	status int // of every response

	mu    sync.Mutex
	calls []string
}

func (s *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Buildkite-A")
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	content, _ := io.ReadAll(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call+" "+string(content))
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, `{"message":"as asked"}`)
}

// TestUndeliveredResultIsDelivered delivers what an earlier agent process left in
// the spool.
func TestUndeliveredResultIsDelivered(t *testing.T) {
	t.Parallel()
	delivered := func(failed string) []string {
		return []string{
			"POST /v3/jobs/J1/chunks?offset=3&sequence=2&size=4 Token secret b rest",
			`PUT /v3/jobs/J1/finish Token secret b {"exit_status":"7","finished_at":"2026-11-25T00:00:00Z","chunks_failed_count":` + failed + "}",
		}
	}
	for _, c := range []struct {
		name   string
		edit   func(*spool.Job)
		status int
		calls  []string
		left   bool   // the entry stays in the spool
		log    string // part of the log
	}{
		{"delivered", func(*spool.Job) {}, 200, delivered("0"), false, "delivered an undelivered job result"},
		{"refused", func(*spool.Job) {}, 422, delivered("1"), false, "refused by the control plane"},
		{"no token", func(j *spool.Job) { j.Token = "" }, 200, nil, false, "missing job token"},
		{"no endpoint", func(j *spool.Job) { j.Endpoint = "gopher://x" }, 200, nil, false, "cannot be sent"},
		{"a header that is not allowed", func(j *spool.Job) { j.Headers = map[string][]string{"Host": {"x"}} }, 200, nil, false, "cannot be sent"},
		{"unreachable", func(j *spool.Job) { j.Endpoint = "http://127.0.0.1:1/v3" }, 200, nil, true, "will retry"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := &receiver{status: c.status}
			listening := httptest.NewUnstartedServer(server)
			listening.Config.Protocols = new(http.Protocols)
			listening.Config.Protocols.SetUnencryptedHTTP2(true)
			listening.Start()
			defer listening.Close()
			dir := filepath.Join(t.TempDir(), "spool")
			core, logs := observer.New(zapcore.InfoLevel)
			s, err := spool.Open(dir, zap.New(core))
			if err != nil {
				t.Fatal(err)
			}
			job := spool.Job{
				ID: "J1", Token: "secret", Endpoint: listening.URL + "/v3", Headers: map[string][]string{"Buildkite-A": {"b"}},
				ChunkMaxSize: 100, StartedAt: time.Now(),
			}
			c.edit(&job)
			e, err := s.Create(job)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Append(2, 3, []byte("rest")); err != nil {
				t.Fatal(err)
			}
			if err := e.SetResult(spool.Result{FinishRequest: wire.FinishRequest{ExitStatus: "7", FinishedAt: "2026-11-25T00:00:00Z"}}); err != nil {
				t.Fatal(err)
			}
			e.Close()

			client, err := transport.New(transport.Options{Endpoints: []string{listening.URL + "/v3"}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if p := (undelivered{s, client, newHeldJobs(), zap.New(core)}).deliverAll(t.Context()); p.left > 0 != c.left {
				t.Errorf("%d are left", p.left)
			}

			if left := undeliveredIn(dir); (len(left) > 0) != c.left {
				t.Errorf("left: %v", left)
			}
			if !slices.Equal(server.calls, c.calls) {
				t.Errorf("calls\n%q, want\n%q", server.calls, c.calls)
			}
			if !c.left && !strings.Contains(fmt.Sprint(logs.All()), c.log) {
				t.Errorf("logged %v, want %q", logs.All(), c.log)
			}
			for _, line := range logs.All() {
				if strings.Contains(line.Message, "secret") {
					t.Errorf("a token is in the log: %v", line)
				}
			}
		})
	}
}

// undeliveredIn returns the files of a spool that have a job.
func undeliveredIn(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "job-*"))
	return slices.DeleteFunc(files, func(path string) bool { // kept for a later job
		info, err := os.Stat(path)
		return err == nil && info.Size() == 0
	})
}
