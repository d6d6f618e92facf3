package controlplane_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// response is the response to a REST call.
type response struct {
	status int
	proto  string
	header http.Header
	raw    []byte
	body   map[string]any // nil unless the response is a JSON object
}

// message returns the message of an error. The test fails if there is none.
func (r response) message(t *testing.T) string {
	t.Helper()
	text, ok := r.body["message"].(string)
	if !ok || text == "" || len(r.body) != 1 {
		t.Errorf("the body is %q, want an object with only a message", r.raw)
	}
	return text
}

func (r response) text(field string) string {
	text, _ := r.body[field].(string)
	return text
}

// request is a REST call of an agent.
type request struct {
	method, path, token string
	body                string
	header              http.Header
}

// do makes a call and returns the response, whatever its status.
func (b *bed) do(r request) response {
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
		b.t.Fatalf("%s %s: reading the response: %v", r.method, r.path, err)
	}
	got := response{status: res.StatusCode, proto: res.Proto, header: res.Header, raw: raw}
	if len(bytes.TrimSpace(raw)) > 0 {
		_ = json.Unmarshal(raw, &got.body) // body stays nil for other JSON
	}
	return got
}

// must makes a call and returns the response, which must have this status. Like an agent it
// repeats a call for which the store of a busy machine had no time.
func (b *bed) must(status int, r request) response {
	b.t.Helper()
	const noTime = "the control plane is temporarily unavailable"
	got := b.do(r)
	for began := time.Now(); got.status == http.StatusServiceUnavailable && got.status != status &&
		strings.Contains(got.text("message"), noTime) && time.Since(began) < waitLimit; {
		got = b.do(r)
	}
	if got.status != status {
		b.t.Fatalf("%s %s: status %d, %s; want %d", r.method, r.path, got.status, got.raw, status)
	}
	return got
}

// worker is a registered worker.
type worker struct {
	id, name, token string
}

// register registers and connects a worker of a queue.
func (b *bed) register(name, queue string) worker {
	b.t.Helper()
	body := `{"name":"` + name + `","hostname":"host","os":"linux","arch":"amd64","meta_data":["queue=` + queue + `"],"features":[]}`
	got := b.must(http.StatusOK, request{method: "POST", path: "/v3/register", token: b.RegistrationToken(), body: body})
	w := worker{id: got.text("id"), name: got.text("name"), token: got.text("access_token")}
	if w.id == "" || w.token == "" {
		b.t.Fatalf("register returned %s, want an id and an access_token", got.raw)
	}
	b.must(http.StatusOK, request{method: "POST", path: "/v3/connect", token: w.token})
	return w
}

// pingUntil pings until the response satisfies the condition.
func (b *bed) pingUntil(w worker, condition func(response) bool) {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for {
		got := b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: w.token})
		if condition(got) {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("pinged for %v; the last response is %s", waitLimit, got.raw)
		}
	}
}

// accepted submits a job, waits until a ping offers it to the worker, accepts it and
// returns the response.
func (b *bed) accepted(w worker, req *switchyardv1.SubmitJobRequest) response {
	b.t.Helper()
	id := b.submitted(req).GetId()
	b.pingUntil(w, func(r response) bool {
		job, _ := r.body["job"].(map[string]any)
		return job != nil && job["id"] == id
	})
	return b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/accept", token: w.token})
}

// gzipped returns text in gzip.
func gzipped(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// chunkHeader returns the header of an uploaded log chunk.
func chunkHeader() http.Header {
	return http.Header{"Content-Type": {"text/plain"}, "Content-Encoding": {"gzip"}}
}
