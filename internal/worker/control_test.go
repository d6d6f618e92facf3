package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// control is a control plane that a script controls: for each kind of call it
// responds as it was last set to, and it records the calls. It may be used
// concurrently.
type control struct {
	mu        sync.Mutex
	responses map[string]string // by kind of call: "ping", "accept", "stream", "heartbeat", "finish", ...
	calls     []string          // since takeCalls was last called
	live      chan string       // messages for the open stream

	mux *http.ServeMux
}

func newControl() *control {
	c := &control{
		responses: map[string]string{
			"ping": "idle", "accept": "grant", "stream": "resume", "heartbeat": "ok", "finish": "ok", "connect": "ok",
		},
		mux: http.NewServeMux(),
	}
	for pattern, body := range map[string]any{
		"POST /v3/register": map[string]any{
			"id": "w-1", "name": "one", "access_token": "session", "ping_interval": 2, "heartbeat_interval": 10,
			"job_status_interval": 1,
		},
		"POST /v3/disconnect":       map[string]any{},
		"PUT /v3/jobs/{id}/start":   map[string]any{},
		"POST /v3/jobs/{id}/chunks": map[string]any{},
	} {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c.record(r)
			_ = json.NewEncoder(w).Encode(body)
		})
	}
	for kind, pattern := range map[string]string{
		"ping": "GET /v3/ping", "accept": "PUT /v3/jobs/{id}/accept", "acquire": "PUT /v3/jobs/{id}/acquire",
		"heartbeat": "POST /v3/heartbeat", "finish": "PUT /v3/jobs/{id}/finish", "connect": "POST /v3/connect",
	} {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c.record(r)
			c.respond(w, r, kind)
		})
	}
	c.mux.Handle(agentedgev1connect.NewAgentEdgeServiceHandler(c))
	return c
}

// record records a call, such as "accept J1".
func (c *control) record(r *http.Request) {
	words := strings.Split(strings.TrimPrefix(r.URL.Path, "/v3/"), "/")
	call := words[len(words)-1]
	if id := r.PathValue("id"); id != "" {
		call += " " + id
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

// takeCalls returns the calls since it was last called, without repetitions, in
// the order of their first.
func (c *control) takeCalls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var calls []string
	for _, call := range c.calls {
		if !slices.Contains(calls, call) {
			calls = append(calls, call)
		}
	}
	c.calls = nil
	return calls
}

// sortCalls sorts the calls that were not taken yet.
func (c *control) sortCalls() {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.calls)
}

func (c *control) set(kind, response string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.responses[kind] = response
}

func (c *control) response(kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.responses[kind]
}

// respond responds to a call as is set for its kind.
func (c *control) respond(w http.ResponseWriter, r *http.Request, kind string) {
	response, id, _ := strings.Cut(c.response(kind), ":")
	switch response {
	case "idle", "ok":
		_, _ = w.Write([]byte(`{}`))
	case "pause", "disconnect":
		_ = json.NewEncoder(w).Encode(map[string]string{"action": response})
	case "job":
		_ = json.NewEncoder(w).Encode(map[string]any{"job": map[string]string{"id": id}})
	case "job-and-header": // a job, and a header that streams must carry
		_ = json.NewEncoder(w).Encode(map[string]any{
			"job": map[string]string{"id": id}, "request_headers": map[string]string{"Buildkite-For": id},
		})
	case "grant":
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": r.PathValue("id"), "chunks_max_size_bytes": 1 << 20, "token": "job",
		})
	case "refuse":
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = w.Write([]byte(`{"message":"no"}`))
	case "fail":
		http.Error(w, "out of order", http.StatusServiceUnavailable)
	case "busy":
		w.Header().Set("Retry-After", "60")
		http.Error(w, "later", http.StatusTooManyRequests)
	case "hang":
		// With HTTP/1.1 the server notices the end of a connection only after the body.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	default:
		panic("unknown response: " + response)
	}
}

// StreamPings opens a stream as is set, and sends the messages of the script.
func (c *control) StreamPings(
	ctx context.Context, _ *agentedgev1.StreamPingsRequest, out *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	live := make(chan string)
	c.mu.Lock()
	c.calls = append(c.calls, "stream")
	c.live = live
	response := c.responses["stream"]
	c.mu.Unlock()
	switch response {
	case "silent":
	case "end":
		return nil
	case "unimplemented":
		return connect.NewError(connect.CodeUnimplemented, errors.New("no streams here"))
	case "unavailable":
		return connect.NewError(connect.CodeUnavailable, errors.New("not now"))
	default:
		if err := out.Send(streamMessage(response)); err != nil {
			return err
		}
	}
	for {
		select {
		case message := <-live:
			switch message {
			case "end":
				return connect.NewError(connect.CodeDeadlineExceeded, errors.New("as planned"))
			case "lose":
				return connect.NewError(connect.CodeInternal, errors.New("stream reset"))
			}
			if err := out.Send(streamMessage(message)); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// say sends a message on the open stream.
func (c *control) say(t *testing.T, message string) {
	t.Helper()
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	if live == nil {
		t.Fatalf("say %s: no stream is open", message)
	}
	select {
	case live <- message:
	case <-t.Context().Done():
	}
}

// trySay sends a message if a stream is served. It reports whether one is.
// Everything else must be blocked.
func (c *control) trySay(message string) bool {
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	select {
	case live <- message: // a nil channel never receives
		return true
	default:
		return false
	}
}

func streamMessage(text string) *agentedgev1.StreamPingsResponse {
	kind, id, _ := strings.Cut(text, ":")
	switch kind {
	case "resume":
		return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{Resume: &agentedgev1.ResumeAction{}}}
	case "pause":
		return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Pause{Pause: &agentedgev1.PauseAction{}}}
	case "disconnect":
		return &agentedgev1.StreamPingsResponse{
			Action: &agentedgev1.StreamPingsResponse_Disconnect{Disconnect: &agentedgev1.DisconnectAction{}},
		}
	case "job":
		return &agentedgev1.StreamPingsResponse{
			Action: &agentedgev1.StreamPingsResponse_JobAssigned{
				JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: id}},
			},
		}
	default:
		return &agentedgev1.StreamPingsResponse{} // a message without an instruction
	}
}
