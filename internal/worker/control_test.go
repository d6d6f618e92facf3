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

// control is a control plane that does as a script says: it answers pings,
// accepts and streams in the ways that it was last told, and notes what it was
// asked. It may be used concurrently.
type control struct {
	mu    sync.Mutex
	ways  map[string]string // by the kind of call: "ping", "accept", "stream", "heartbeat", "finish"
	calls []string          // since they were last taken
	live  chan string       // to the stream that is open now

	mux *http.ServeMux
}

func newControl() *control {
	c := &control{
		ways: map[string]string{
			"ping": "idle", "accept": "grant", "stream": "resume", "heartbeat": "ok", "finish": "ok", "connect": "ok",
		},
		mux: http.NewServeMux(),
	}
	answers := map[string]any{
		"POST /v3/register": map[string]any{
			"id": "w-1", "name": "one", "access_token": "session", "ping_interval": 2, "heartbeat_interval": 10,
			"job_status_interval": 1,
		},
		"POST /v3/disconnect":       map[string]any{},
		"PUT /v3/jobs/{id}/start":   map[string]any{},
		"POST /v3/jobs/{id}/chunks": map[string]any{},
	}
	for pattern, answer := range answers {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c.note(r)
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	for kind, pattern := range map[string]string{
		"ping": "GET /v3/ping", "accept": "PUT /v3/jobs/{id}/accept", "acquire": "PUT /v3/jobs/{id}/acquire",
		"heartbeat": "POST /v3/heartbeat", "finish": "PUT /v3/jobs/{id}/finish", "connect": "POST /v3/connect",
	} {
		c.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c.note(r)
			c.answer(w, r, kind)
		})
	}
	c.mux.Handle(agentedgev1connect.NewAgentEdgeServiceHandler(c))
	return c
}

// note remembers that a call came, such as "accept J1".
func (c *control) note(r *http.Request) {
	words := strings.Split(strings.TrimPrefix(r.URL.Path, "/v3/"), "/")
	call := words[len(words)-1]
	if id := r.PathValue("id"); id != "" {
		call += " " + id
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call)
}

// taken returns which calls came since it was last called, each once, in the
// order of their first.
func (c *control) taken() []string {
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

// sort puts the calls since they were last taken in the order of the alphabet.
func (c *control) sort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.calls)
}

func (c *control) set(kind, way string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ways[kind] = way
}

func (c *control) way(kind string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ways[kind]
}

// answer answers a call in the way that the script has set for its kind.
func (c *control) answer(w http.ResponseWriter, r *http.Request, kind string) {
	way, id, _ := strings.Cut(c.way(kind), ":")
	switch way {
	case "idle", "ok":
		_, _ = w.Write([]byte(`{}`))
	case "pause", "disconnect":
		_ = json.NewEncoder(w).Encode(map[string]string{"action": way})
	case "job":
		_ = json.NewEncoder(w).Encode(map[string]any{"job": map[string]string{"id": id}})
	case "job-and-header": // beside the job, a header that streams are to carry
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
		// Over HTTP/1.1 the end of a connection is noticed behind the body alone.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	default:
		panic("no such way: " + way)
	}
}

// StreamPings opens a stream in the way that the script has set, and says on it
// what the script says.
func (c *control) StreamPings(
	ctx context.Context, _ *agentedgev1.StreamPingsRequest, out *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	live := make(chan string)
	c.mu.Lock()
	c.calls = append(c.calls, "stream")
	c.live = live
	way := c.ways["stream"]
	c.mu.Unlock()
	switch way {
	case "silent":
	case "end":
		return nil
	case "unimplemented":
		return connect.NewError(connect.CodeUnimplemented, errors.New("no streams here"))
	case "unavailable":
		return connect.NewError(connect.CodeUnavailable, errors.New("not now"))
	default:
		if err := out.Send(message(way)); err != nil {
			return err
		}
	}
	for {
		select {
		case say := <-live:
			switch say {
			case "end":
				return connect.NewError(connect.CodeDeadlineExceeded, errors.New("as planned"))
			case "lose":
				return connect.NewError(connect.CodeInternal, errors.New("stream reset"))
			}
			if err := out.Send(message(say)); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// say says something on the stream that is open.
func (c *control) say(t *testing.T, what string) {
	t.Helper()
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	if live == nil {
		t.Fatalf("say %s: no stream is open", what)
	}
	select {
	case live <- what:
	case <-t.Context().Done():
	}
}

func message(say string) *agentedgev1.StreamPingsResponse {
	say, id, _ := strings.Cut(say, ":")
	switch say {
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
