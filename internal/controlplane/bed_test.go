package controlplane_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// waitLimit bounds every wait for something that must happen; reaching it fails
// the test.
const waitLimit = 20 * time.Second

// A bed is a control plane on loopback, with a store of its own, and a client.
type bed struct {
	*controlplane.Server

	t      *testing.T
	client *http.Client
	jobs   switchyardv1connect.JobServiceClient
	agents switchyardv1connect.WorkerServiceClient
}

// start makes a bed that ends with the test.
func start(t *testing.T, changes ...func(*controlplane.Config)) *bed {
	t.Helper()
	config := controlplane.Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(),
		Logger: zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel)),
	}
	for _, change := range changes {
		change(&config)
	}
	server, err := controlplane.Start(t.Context(), config)
	if err != nil {
		t.Fatalf("starting: %v", err)
	}
	b := &bed{Server: server, t: t, client: &http.Client{Transport: protocolsOf(t, (*http.Protocols).SetHTTP1)}}
	b.speak()
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

// speak makes the clients of switchyard.v1 anew, over the bed's client.
func (b *bed) speak() {
	b.jobs = switchyardv1connect.NewJobServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
	b.agents = switchyardv1connect.NewWorkerServiceClient(b.client, b.URL(), bearer(b.AdminToken()))
}

// protocolsOf is a transport that speaks one protocol alone, and ends with the test.
func protocolsOf(t *testing.T, set func(*http.Protocols, bool)) *http.Transport {
	t.Helper()
	protocols := new(http.Protocols)
	set(protocols, true)
	transport := &http.Transport{Protocols: protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// bearer shows a token on every call of a client.
func bearer(token string) connect.ClientOption {
	return authorization("Bearer " + token)
}

func authorization(value string) connect.ClientOption {
	return connect.WithInterceptors(authorizer(value))
}

// An authorizer sets the Authorization header of calls and streams.
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

// An answer is what a REST call was answered.
type answer struct {
	status int
	proto  string
	header http.Header
	raw    []byte
	body   map[string]any // nil where the answer is no JSON object
}

// message is the error's, and fails the test where the answer has none.
func (a answer) message(t *testing.T) string {
	t.Helper()
	text, ok := a.body["message"].(string)
	if !ok || text == "" || len(a.body) != 1 {
		t.Errorf("the body is %q, want an object with a message alone", a.raw)
	}
	return text
}

// A request is a REST call as an agent makes it.
type request struct {
	method, path, token string
	body                string
	header              http.Header
}

// do makes a call.
func (b *bed) do(r request) answer {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), waitLimit)
	defer cancel()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, b.URL()+r.path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Token "+r.token)
	}
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", r.method, r.path, err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatalf("%s %s: reading the answer: %v", r.method, r.path, err)
	}
	got := answer{status: res.StatusCode, proto: res.Proto, header: res.Header, raw: raw}
	if len(bytes.TrimSpace(raw)) > 0 {
		_ = json.Unmarshal(raw, &got.body) // rows that want an object say so
	}
	return got
}

// must makes a call that has to be answered with a status.
func (b *bed) must(status int, r request) answer {
	b.t.Helper()
	got := b.do(r)
	if got.status != status {
		b.t.Fatalf("%s %s: status %d, %s; want %d", r.method, r.path, got.status, got.raw, status)
	}
	return got
}

// A worker is a registered one, as its agent knows it.
type worker struct {
	id, name, token string
}

// register registers a worker of a queue, and connects it.
func (b *bed) register(name, queue string) worker {
	b.t.Helper()
	body := `{"name":"` + name + `","hostname":"host","os":"linux","arch":"amd64","meta_data":["queue=` + queue + `"],"features":[]}`
	got := b.must(http.StatusOK, request{method: "POST", path: "/v3/register", token: b.RegistrationToken(), body: body})
	w := worker{id: got.text("id"), name: got.text("name"), token: got.text("access_token")}
	if w.id == "" || w.token == "" {
		b.t.Fatalf("register was answered %s, want an id and an access_token", got.raw)
	}
	b.must(http.StatusOK, request{method: "POST", path: "/v3/connect", token: w.token})
	return w
}

func (a answer) text(field string) string {
	text, _ := a.body[field].(string)
	return text
}

// submit submits a job that runs in a queue.
func (b *bed) submit(queue string, command ...string) *switchyardv1.Job {
	b.t.Helper()
	return b.submitted(&switchyardv1.SubmitJobRequest{Command: command, Queue: queue})
}

func (b *bed) submitted(req *switchyardv1.SubmitJobRequest) *switchyardv1.Job {
	b.t.Helper()
	res, err := b.jobs.SubmitJob(b.t.Context(), req)
	if err != nil {
		b.t.Fatalf("submitting: %v", err)
	}
	return res.GetJob()
}

// pingUntil pings until the answer satisfies; what brings that about is the
// control plane's own affair and takes a moment.
func (b *bed) pingUntil(w worker, satisfies func(answer) bool) {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for {
		got := b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: w.token})
		if satisfies(got) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("pinged for %v, and the last answer is %s", waitLimit, got.raw)
		}
	}
}

// accepted gives a new job to a worker by ping, and answers with the accepted job.
func (b *bed) accepted(w worker, req *switchyardv1.SubmitJobRequest) answer {
	b.t.Helper()
	id := b.submitted(req).GetId()
	b.pingUntil(w, func(a answer) bool {
		job, _ := a.body["job"].(map[string]any)
		return job != nil && job["id"] == id
	})
	return b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/accept", token: w.token})
}

// stateOf is where a job stands.
func (b *bed) stateOf(id string) switchyardv1.JobState {
	b.t.Helper()
	res, err := b.jobs.GetJob(b.t.Context(), &switchyardv1.GetJobRequest{Id: id})
	if err != nil {
		b.t.Fatalf("reading job %s: %v", id, err)
	}
	return res.GetJob().GetState()
}
