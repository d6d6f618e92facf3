package agent

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// TestHeldJobs checks which jobs a worker names: its own first, then the undelivered
// ones, the newest first.
func TestHeldJobs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(*heldJobs)
		want string // for worker w
	}{
		{"nothing", func(*heldJobs) {}, ""},
		{"its job", func(h *heldJobs) { h.begin("w", "A") }, "A"},
		{"another worker's job", func(h *heldJobs) { h.begin("v", "A") }, ""},
		{"its job has ended", func(h *heldJobs) { h.begin("w", "A"); h.end("w", false) }, ""},
		{"its job has ended undelivered", func(h *heldJobs) { h.begin("w", "A"); h.end("w", true) }, "A"},
		{"another worker's job has ended undelivered", func(h *heldJobs) { h.begin("v", "A"); h.end("v", true) }, "A"},
		{"its job before undelivered ones", func(h *heldJobs) { h.add("A"); h.add("B"); h.begin("w", "C"); h.add("D") }, "C D B A"},
		{"delivered", func(h *heldJobs) { h.add("A"); h.add("B"); h.remove("A") }, "B"},
		{"seen twice", func(h *heldJobs) { h.add("A"); h.add("B"); h.add("A") }, "B A"},
		{"delivered by another process", func(h *heldJobs) { h.add("A"); h.forget(time.Now().Add(time.Second)) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHeldJobs()
			c.do(h)
			if got := strings.Join(h.of("w"), " "); got != c.want {
				t.Errorf("named %q, want %q", got, c.want)
			}
		})
	}
}

// TestHeldJobsOfTheSpool checks that the jobs in the spool are held from the start until
// they are delivered, except those of which only chunks are left.
func TestHeldJobsOfTheSpool(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		client := serveInMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			if time.Since(start) < time.Hour {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_, _ = io.WriteString(w, `{}`)
		})
		job := func(id, token string, age time.Duration) spool.Job {
			return spool.Job{
				ID: id, Token: token, Endpoint: "http://control.test/v3", ChunkMaxSize: 100, StartedAt: start.Add(-age),
			}
		}
		s := spoolWith(t, dir, job("middle", "t", 2*time.Hour), job("old", "t", 3*time.Hour), job("new", "t", time.Hour), job("no-token", "", 0))
		acknowledged, err := s.Create(job("acknowledged", "t", 0))
		if err != nil {
			t.Fatal(err)
		}
		if err := acknowledged.SetResult(spool.Result{Acknowledged: true}); err != nil {
			t.Fatal(err)
		}
		acknowledged.Close()

		u := undelivered{s, client, newHeldJobs(), zap.NewNop()}
		u.list()
		held := func(want ...string) {
			t.Helper()
			if got := u.held.of("w"); !slices.Equal(got, want) {
				t.Errorf("after %v: held %q, want %q", time.Since(start), got, want)
			}
		}
		held("new", "middle", "old")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			u.run(ctx)
		}()
		time.Sleep(59 * time.Minute)
		held("new", "middle", "old")
		time.Sleep(15 * time.Minute)
		held()
		stop()
		<-ended
	})
}
