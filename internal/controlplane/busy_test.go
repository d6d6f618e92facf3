package controlplane_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Uploads that do not end take the room for decoding. More of them are refused with
// Retry-After, by both APIs, while pings and small calls are served.
func TestNoRoomToDecode(t *testing.T) { //nolint:tparallel // the token of a job that is not started ends
	t.Parallel()
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	id := job.text("id")
	for _, row := range []struct{ name, path, authorization, contentType string }{
		{"REST", "/v3/jobs/" + id + "/data/set", "Token " + job.text("token"), "application/json"},
		{"switchyard.v1", "/switchyard.v1.JobService/SubmitJob", "Bearer " + b.AdminToken(), "application/json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			statuses := make(chan *http.Response)
			const uploads = 20 // of 4 MiB of memory each, or 12
			for range uploads {
				reader, writer := io.Pipe()
				t.Cleanup(func() { _ = writer.Close() })
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL()+row.path, reader)
				must(t, err)
				req.Header.Set("Authorization", row.authorization)
				req.Header.Set("Content-Type", row.contentType)
				go func() {
					res, err := b.client.Do(req)
					if err == nil {
						_ = res.Body.Close()
						select {
						case statuses <- res:
						case <-ctx.Done():
						}
					}
				}()
			}
			select {
			case res := <-statuses:
				if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
					t.Errorf("status %d with Retry-After %q, want 503 with a number", res.StatusCode, res.Header.Get("Retry-After"))
				}
			case <-time.After(waitLimit + admission.Wait):
				t.Fatal("no upload was refused")
			}
			b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: w.token})
			b.must(http.StatusOK, request{method: "POST", path: "/v3/heartbeat", token: w.token, body: "{}"})
			_, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: id})
			must(t, err)
		})
	}
}

// A request without a token is refused while its body is still to come, over HTTP/1
// as well, whose server would read it first.
func TestRefusedBeforeTheBodyArrives(t *testing.T) {
	b := start(t)
	for _, path := range []string{
		"/v3/register", "/v3/jobs/" + unknownID + "/chunks", "/switchyard.v1.JobService/SubmitJob",
		"/agentedge.v1.AgentEdgeService/StreamPings",
	} {
		reader, writer := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+path, reader)
		must(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := b.client.Do(req)
		if err != nil {
			t.Fatalf("%s: %v; want a response before the body", path, err)
		}
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", path, res.StatusCode)
		}
		_ = res.Body.Close()
		_ = writer.Close()
	}
}
