package controlplane_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// startNATS is a NATS server of the kind that an operator runs, on loopback.
func startNATS(t *testing.T, port int, dir string) (srv *server.Server, stop func()) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true})
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

// readyUntil probes until the answer is as wanted: an answer of the store is good
// for a second.
func (b *bed) readyUntil(status int) {
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

// A control plane whose store goes away stays alive, says that it is not ready,
// and is ready again when the store is back, with everything that was stored.
func TestReadyFollowsTheStore(t *testing.T) {
	dir := t.TempDir()
	srv, stop := startNATS(t, server.RANDOM_PORT, dir)
	addr, ok := srv.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("the NATS server listens on %v", srv.Addr())
	}
	b := start(t, func(c *controlplane.Config) { c.NATSURL = srv.ClientURL() })
	b.must(http.StatusOK, request{method: "GET", path: "/readyz"})
	job := b.submit("nobody", "true")

	stop()
	b.readyUntil(http.StatusServiceUnavailable)
	b.must(http.StatusOK, request{method: "GET", path: "/healthz"})

	// This one ends before the control plane does, which must not wait for it.
	startNATS(t, addr.Port, dir)
	b.readyUntil(http.StatusOK)
	_ = b.stateOf(job.GetId())
}
