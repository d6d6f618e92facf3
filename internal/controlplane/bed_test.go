package controlplane_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// waitLimit bounds every wait, and every request and stream. A test that reaches it
// fails.
const waitLimit = 20 * time.Second

// unknownID is the ID of no job and no worker.
const unknownID = "018f4e8e-0000-7000-8000-000000000000"

// bed is a control plane on loopback, with its own store, and clients of it.
type bed struct {
	*controlplane.Server

	t       *testing.T
	client  *http.Client
	jobs    switchyardv1connect.JobServiceClient
	workers switchyardv1connect.WorkerServiceClient
	tokens  switchyardv1connect.TokenServiceClient
}

// start returns a bed that is shut down at the end of the test.
func start(t *testing.T, changes ...func(*controlplane.Config)) *bed {
	t.Helper()
	config := controlplane.Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), MaxStore: 16 << 30, // on every disk the same
		Logger: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)),
	}
	for _, change := range changes {
		change(&config)
	}
	server, err := controlplane.Start(t.Context(), config)
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	b := &bed{Server: server, t: t, client: &http.Client{Transport: protocolsOf(t, (*http.Protocols).SetHTTP1), Timeout: waitLimit}}
	b.connectClients()
	t.Cleanup(func() {
		b.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), waitLimit)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutting down: %v", err)
		}
	})
	return b
}

// connectClients sets the clients of switchyard.v1 to use the bed's HTTP client.
func (b *bed) connectClients() {
	b.jobs = switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	b.workers = switchyardv1connect.NewWorkerServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	b.tokens = switchyardv1connect.NewTokenServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
}

// protocolsOf returns a transport for one HTTP version, which is closed at the end of
// the test.
func protocolsOf(t *testing.T, set func(*http.Protocols, bool)) *http.Transport {
	t.Helper()
	protocols := new(http.Protocols)
	set(protocols, true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// bearer sends a token with every call of a client.
func bearer(token string) connect.ClientOption {
	return authorization("Bearer " + token)
}

// authorization sends an Authorization header with every call of a client.
func authorization(value string) connect.ClientOption {
	return connect.WithInterceptors(authorizer(value))
}

// authorizer sets the Authorization header of calls and streams.
type authorizer string

func (a authorizer) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		req.Header().Set("Authorization", string(a))
		return next(ctx, req)
	}
}

func (a authorizer) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		conn.RequestHeader().Set("Authorization", string(a))
		return conn
	}
}

func (a authorizer) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

// queued returns a request for the job "true" in a queue.
func queued(queue string) *switchyardv1.SubmitJobRequest {
	return &switchyardv1.SubmitJobRequest{Command: []string{"true"}, Queue: queue}
}

// submit submits a command to a queue.
func (b *bed) submit(queue string, command ...string) *switchyardv1.Job {
	b.t.Helper()
	return b.submitted(&switchyardv1.SubmitJobRequest{Command: command, Queue: queue})
}

// submitted submits a job and returns it.
func (b *bed) submitted(req *switchyardv1.SubmitJobRequest) *switchyardv1.Job {
	b.t.Helper()
	res, err := b.jobs.SubmitJob(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("submitting: %v", err)
	}
	return res.GetJob()
}

// stateOf returns the state of a job.
func (b *bed) stateOf(id string) switchyardv1.JobState {
	b.t.Helper()
	res, err := b.jobs.GetJob(b.t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		b.t.Fatalf("reading job %s: %v", id, err)
	}
	return res.GetJob().GetState()
}
