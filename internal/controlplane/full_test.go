package controlplane_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/smalldisk"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// fillUntilRefused fills the disk, and submits jobs until one is refused, which
// leaves no room at all.
func (b *bed) fillUntilRefused(dir string) (free func(), acknowledged []string) {
	b.t.Helper()
	free = smalldisk.Fill(b.t, dir)
	for {
		job, err := b.jobs.SubmitJob(b.t.Context(), &switchyardv1.SubmitJobRequest{
			Command: []string{"true"}, Queue: "nobody", Env: map[string]string{"X": strings.Repeat("x", 10_000)},
		})
		if err != nil {
			if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), "the disk of the store is full") {
				b.t.Fatalf("submitting on a full disk: %v", err)
			}
			return free, acknowledged
		}
		acknowledged = append(acknowledged, job.GetJob().GetId())
	}
}

// A disk that fills up while a job runs: what was acknowledged stays, the result of
// the job is refused with the cause, and is stored once there is room, without a
// restart.
func TestDiskFullDuringAJob(t *testing.T) {
	dir := smalldisk.Mount(t, 32)
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(http.StatusOK, request{method: "PUT", path: path + "/start", token: token})

	free, acknowledged := b.fillUntilRefused(dir)
	finish := request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"7"}`}
	refused := b.must(http.StatusServiceUnavailable, finish)
	if !strings.Contains(refused.message(t), "the disk of the store is full") || refused.header.Get("Retry-After") == "" {
		t.Errorf("finishing on a full disk: %s, %v", refused.raw, refused.header)
	}
	b.waitReadyz(http.StatusServiceUnavailable)
	if body := string(b.do(request{method: "GET", path: "/readyz"}).raw); body != "no: the disk of the store is full\n" {
		t.Errorf("/readyz: %q", body)
	}
	b.must(http.StatusOK, request{method: "GET", path: path, token: token}) // reading works
	b.wantSamples(`switchyard_store_full{cause="disk"} 1`, `switchyard_store_full{cause="max_store"} 0`, `switchyard_store_up 0`)

	free()
	began := time.Now()
	b.waitReadyz(http.StatusOK)
	t.Logf("ready %v after the disk had room again", time.Since(began))
	b.must(http.StatusOK, finish)
	for _, id := range acknowledged {
		_ = b.stateOf(id)
	}
	// The watch of the store goes on too: a job is offered.
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + b.accepted(w, queued("q")).text("id") + "/accept", token: w.token})
}

// A control plane whose store cannot write ends within seconds.
func TestShutdownOnAFullDisk(t *testing.T) {
	const lease = 5 * time.Second // enough for the calls of a worker on a busy machine
	dir := smalldisk.Mount(t, 32)
	b := start(t, func(c *controlplane.Config) {
		c.DataDir, c.HeartbeatInterval, c.LeaseTimeout = dir, time.Second, lease
	})
	var jobs []string
	for range 30 { // each of which the sweeper wants to write
		w := b.register("w", "q")
		job := b.accepted(w, queued("q"))
		b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + job.text("id") + "/start", token: job.text("token")})
		jobs = append(jobs, job.text("id"))
	}
	expired := time.NewTimer(lease)
	b.fillUntilRefused(dir)
	<-expired.C
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	var calls sync.WaitGroup
	refused := make(chan error, len(jobs))
	for _, id := range jobs {
		calls.Go(func() { // until the server is gone
			for connected := true; connected; {
				_, err := b.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id})
				connected = err != nil && strings.Contains(err.Error(), "canceling job")
				select {
				case refused <- err:
				default:
				}
			}
		})
	}
	defer calls.Wait()
	<-refused // so that others are in flight
	began := time.Now()
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	took := time.Since(began)
	t.Logf("the shutdown took %v", took)
	const most = 12 * time.Second // calls that wait for their response hang for 15 s or more
	if took > most {
		t.Errorf("the shutdown took %v, want at most %v", took, most)
	}
}
