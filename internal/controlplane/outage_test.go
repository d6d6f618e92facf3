package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// startNATS starts a NATS server on loopback, as an operator may run one.
func startNATS(t *testing.T, port int, dir string) (srv *server.Server, stop func()) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true,
		JetStreamMaxStore: 32 << 30,
	}) // by default it depends on the disk, and start asks for half of this
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	stop = func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
	t.Cleanup(stop)
	if !srv.ReadyForConnections(waitLimit) {
		t.Fatal("the NATS server is not ready")
	}
	return srv, stop
}

// waitReadyz probes /readyz until it has this status. The result of a store check is
// reused for a second.
func (b *bed) waitReadyz(status int) {
	b.t.Helper()
	deadline := time.NewTimer(waitLimit)
	defer deadline.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for b.do(request{method: "GET", path: "/readyz"}).status != status {
		select {
		case <-again.C:
		case <-deadline.C:
			b.t.Fatalf("/readyz is not %d after %v", status, waitLimit)
		}
	}
}

// waitOutage lists jobs until the response says for how long the store has not responded,
// which it does once that is known: it is not asked for each request then.
func (b *bed) waitOutage() {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for {
		_, err := b.jobs.ListJobs(b.t.Context(), &switchyardv1.ListJobsRequest{})
		if err != nil && strings.Contains(err.Error(), "(no response for ") {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("listing jobs: %v after %v, want for how long the store has not responded", err, waitLimit)
		}
	}
}

// A control plane whose store stops stays alive and is not ready. It is ready again
// when the store is back, with all records.
func TestReadyFollowsTheStore(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	srv, stop := startNATS(t, port, dir)
	b := start(t, func(c *controlplane.Config) { c.NATSURL = srv.ClientURL() })
	b.must(http.StatusOK, request{method: "GET", path: "/readyz"})
	job := b.submit("nobody", "true")
	operator := b.signedIn(b.AdminToken())

	stop()
	b.waitReadyz(http.StatusServiceUnavailable)
	b.must(http.StatusOK, request{method: "GET", path: "/healthz"})
	b.must(http.StatusOK, request{method: "GET", path: "/readyz?grace=1h"}) // for load balancers
	b.must(http.StatusServiceUnavailable, request{method: "GET", path: "/readyz?grace=1ns"})
	b.must(http.StatusBadRequest, request{method: "GET", path: "/readyz?grace=long"})
	b.waitOutage()
	page := operator.get("/")
	operator.expect(page, http.StatusOK, "The store cannot be used.", "Listing jobs: the store does not answer; try again")

	// At the end of the test the server stops first; the shutdown must not wait for it.
	startNATS(t, port, dir)
	b.waitReadyz(http.StatusOK)
	_ = b.stateOf(job.GetId())
}
