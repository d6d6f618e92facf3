package controlplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/freeport"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// A control plane whose NATS server is not there yet responds at once, with the cause,
// and serves soon after that server has started.
func TestPortRespondsBeforeTheStoreIsOpen(t *testing.T) {
	address, natsPort := freePort(t), freePort(t)
	started := make(chan *controlplane.Server, 1)
	go func() {
		server, err := controlplane.Start(t.Context(), controlplane.Config{
			Listen: fmt.Sprint("127.0.0.1:", address), DataDir: t.TempDir(), NATSURL: fmt.Sprint("nats://127.0.0.1:", natsPort),
			Logger: zaptest.NewLogger(t),
		})
		if err != nil {
			t.Errorf("starting: %v", err)
		}
		started <- server
	}()
	url := fmt.Sprint("http://127.0.0.1:", address)
	client := &http.Client{Transport: protocolsOf(t, (*http.Protocols).SetHTTP1), Timeout: waitLimit}
	for _, row := range []struct {
		method, path string
		status       int
		json         bool
	}{
		{"GET", "/healthz", http.StatusOK, false},
		{"GET", "/readyz", http.StatusServiceUnavailable, false},
		{"POST", "/v3/register", http.StatusServiceUnavailable, true},
		{"GET", "/v3/ping", http.StatusServiceUnavailable, true},
	} {
		status, message := ask(t, client, row.method, url+row.path)
		if status != row.status || row.json && message != "the control plane is starting, and its store is not open yet; try again" {
			t.Errorf("%s %s: %d, message %q; want %d and the cause", row.method, row.path, status, message, row.status)
		}
	}
	jobs := switchyardv1connect.NewJobServiceClient(client, url)
	_, err := jobs.SubmitJob(t.Context(), &switchyardv1.SubmitJobRequest{Command: []string{"true"}})
	if connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("submitting: %v, want the code unavailable", err)
	}

	startNATS(t, natsPort, t.TempDir())
	began := time.Now()
	server := <-started
	if server == nil {
		t.FailNow()
	}
	t.Logf("served %v after the NATS server was ready", time.Since(began))
	if status, _ := ask(t, client, "GET", url+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz is %d after the start", status)
	}
	client.CloseIdleConnections()
	if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

// A start that waits for its store ends with its context, and closes its port.
func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	server, err := controlplane.Start(ctx, controlplane.Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), NATSURL: fmt.Sprint("nats://127.0.0.1:", freePort(t)), Logger: zaptest.NewLogger(t),
	})
	if err == nil {
		t.Fatalf("started without a store: %v", server.URL())
	}
	if ctx.Err() == nil {
		t.Errorf("the start ended before its context: %v", err)
	}
}

// ask returns the status of a request until the port is open, and the message of a JSON
// body.
func ask(t *testing.T, client *http.Client, method, url string) (status int, message string) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	deadline := time.NewTimer(waitLimit)
	defer deadline.Stop()
	for {
		req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := client.Do(req)
		if err == nil {
			var body struct {
				Message string `json:"message"`
			}
			_ = json.NewDecoder(res.Body).Decode(&body)
			_ = res.Body.Close()
			return res.StatusCode, body.Message
		}
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("%s %s: %v", method, url, err)
		}
	}
}

// freePort returns a port on loopback at which nothing listens.
func freePort(t *testing.T) int {
	t.Helper()
	ports, err := freeport.Ports(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	return ports[0]
}
