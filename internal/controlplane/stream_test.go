package controlplane_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// A stream is a worker's, as its agent holds it.
type stream struct {
	t        *testing.T
	received *connect.ServerStreamForClient[agentedgev1.StreamPingsResponse]
	cancel   context.CancelFunc
}

// open opens a stream with a token, for an agent id.
func (b *bed) open(token, workerID string, options ...connect.ClientOption) *stream {
	b.t.Helper()
	client := agentedgev1connect.NewAgentEdgeServiceClient(b.client, b.URL(),
		append(options, authorization("Token "+token))...)
	ctx, cancel := context.WithTimeout(b.t.Context(), waitLimit)
	b.t.Cleanup(cancel)
	received, err := client.StreamPings(ctx, &agentedgev1.StreamPingsRequest{AgentId: workerID})
	if err != nil {
		b.t.Fatalf("opening a stream: %v", err)
	}
	return &stream{t: b.t, received: received, cancel: cancel}
}

// stream opens the stream of a worker.
func (b *bed) stream(w worker, options ...connect.ClientOption) *stream {
	b.t.Helper()
	return b.open(w.token, w.id, options...)
}

// next is the next message: resume, pause REASON, disconnect REASON, job ID.
func (s *stream) next() string {
	s.t.Helper()
	if !s.received.Receive() {
		s.t.Fatalf("the stream ended with %v, want a message", s.received.Err())
	}
	switch action := s.received.Msg().GetAction().(type) {
	case *agentedgev1.StreamPingsResponse_Resume:
		return "resume"
	case *agentedgev1.StreamPingsResponse_Pause:
		return "pause " + action.Pause.GetReason()
	case *agentedgev1.StreamPingsResponse_Disconnect:
		return "disconnect " + action.Disconnect.GetReason()
	case *agentedgev1.StreamPingsResponse_JobAssigned:
		return "job " + action.JobAssigned.GetJob().GetId()
	default:
		s.t.Fatalf("a message without an action: %v", s.received.Msg())
		return ""
	}
}

// wants checks the next message.
func (s *stream) wants(want string) {
	s.t.Helper()
	if got := s.next(); got != want {
		s.t.Fatalf("received %q, want %q", got, want)
	}
}

// end is the code that the stream ends with, after whatever it still says.
func (s *stream) end() *connect.Error {
	s.t.Helper()
	for s.received.Receive() { //nolint:revive // what it says is not asked
	}
	ended, ok := errors.AsType[*connect.Error](s.received.Err())
	if !ok {
		s.t.Fatalf("the stream ended with %v, want a coded error", s.received.Err())
	}
	return ended
}

func (b *bed) pause(agent, reason string) {
	b.t.Helper()
	if _, err := b.agents.PauseWorker(b.t.Context(), &switchyardv1.PauseWorkerRequest{Id: agent, Reason: reason}); err != nil {
		b.t.Fatalf("pausing: %v", err)
	}
}

func (b *bed) resume(agent string) {
	b.t.Helper()
	if _, err := b.agents.ResumeWorker(b.t.Context(), &switchyardv1.ResumeWorkerRequest{Id: agent}); err != nil {
		b.t.Fatalf("resuming: %v", err)
	}
}

// Section 2: every instruction, over every protocol, HTTP version and security.
func TestStreamSaysEverythingOverEveryProtocol(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOver(t, l)
			for _, d := range dialects {
				t.Run(d.name, func(t *testing.T) {
					w := b.register(d.name, d.name)
					s := b.stream(w, d.option...)
					s.wants("resume")
					b.pause(w.id, "new disk")
					s.wants("pause new disk")
					job := b.submit(d.name, "true")
					b.resume(w.id)
					s.wants("resume")
					s.wants("job " + job.GetId())
					b.must(200, request{method: "PUT", path: "/v3/jobs/" + job.GetId() + "/accept", token: w.token})
					if _, err := b.agents.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{Id: w.id, Reason: "old"}); err != nil {
						t.Fatal(err)
					}
					s.wants("disconnect old")
				})
			}
		})
	}
}

func TestStreamBeginsWithWhatStands(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	b.pause(w.id, "new disk")
	b.stream(w).wants("pause new disk")
	if _, err := b.agents.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{Id: w.id, Reason: "old"}); err != nil {
		t.Fatal(err)
	}
	b.stream(w).wants("disconnect old")
}

// An offer is made again on every stream until it is accepted and started.
func TestStreamOffersAgain(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.stream(w)
	first.wants("resume")
	job := b.submit("q", "true")
	first.wants("job " + job.GetId())
	second := b.stream(w)
	second.wants("resume")
	second.wants("job " + job.GetId())
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + job.GetId() + "/accept", token: w.token})
	third := b.stream(w)
	third.wants("resume")
	third.wants("job " + job.GetId())
}

func TestStreamRefusals(t *testing.T) {
	b := start(t)
	w, other := b.register("w", "q"), b.register("other", "q")
	job := b.accepted(w, queued("q"))
	gone := b.register("gone", "q")
	b.must(200, request{method: "POST", path: "/v3/disconnect", token: gone.token})
	for _, row := range []struct {
		name, token, id string
		code            connect.Code
	}{
		{"no token", "", w.id, connect.CodeUnauthenticated},
		{"unknown token", strings.Repeat("x", 40), w.id, connect.CodeUnauthenticated},
		{"the registration token", b.RegistrationToken(), w.id, connect.CodeUnauthenticated},
		{"the admin token", b.AdminToken(), w.id, connect.CodeUnauthenticated},
		{"a job's token", job.text("token"), w.id, connect.CodeUnauthenticated},
		{"another worker's id", w.token, other.id, connect.CodePermissionDenied},
		{"no id", w.token, "", connect.CodePermissionDenied},
		{"an unknown id", w.token, "nonsense", connect.CodePermissionDenied},
		{"a worker that has left", gone.token, gone.id, connect.CodePermissionDenied},
	} {
		for _, d := range dialects {
			t.Run(row.name+" "+d.name, func(t *testing.T) {
				ended := b.open(row.token, row.id, d.option...).end()
				if ended.Code() != row.code || ended.Message() == "" {
					t.Errorf("ended with %v, want %v and a message", ended, row.code)
				}
				if row.token != "" && strings.Contains(ended.Message(), row.token) {
					t.Errorf("the message %q shows the token", ended.Message())
				}
			})
		}
	}
}

func TestStreamIsSuperseded(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.stream(w)
	first.wants("resume")
	second := b.stream(w)
	second.wants("resume")
	if ended := first.end(); ended.Code() != connect.CodeAborted {
		t.Errorf("the first stream ended with %v, want Aborted", ended)
	}
	b.pause(w.id, "still here")
	second.wants("pause still here")
}

// A keep-alive says what stands: one that said resume would resume a paused worker.
func TestStreamKeepAlive(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.KeepAlive = 20 * time.Millisecond })
	w := b.register("w", "q")
	s := b.stream(w)
	for range 3 {
		s.wants("resume")
	}
	b.pause(w.id, "new disk")
	said := s.next()
	for said == "resume" { // sent before the pause
		said = s.next()
	}
	for range 3 {
		if said != "pause new disk" {
			t.Fatalf("received %q while paused", said)
		}
		said = s.next()
	}
}

// Section 2: DeadlineExceeded is the planned end, after which an agent connects
// again without falling back.
func TestStreamEndsAsPlannedAtItsAge(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.StreamMaxAge = 50 * time.Millisecond })
	w := b.register("w", "q")
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			s := b.stream(w, d.option...)
			s.wants("resume")
			if ended := s.end(); ended.Code() != connect.CodeDeadlineExceeded {
				t.Errorf("ended with %v, want DeadlineExceeded", ended)
			}
		})
	}
}

func TestStreamThatIsNotServed(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.NoStream = true })
	w := b.register("w", "q")
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			if ended := b.stream(w, d.option...).end(); ended.Code() != connect.CodeUnimplemented {
				t.Errorf("ended with %v, want Unimplemented", ended)
			}
		})
	}
	b.accepted(w, queued("q")) // by polling
}

// Shutdown ends streams as planned, at once, with the port closed before: an
// agent that connects again finds the successor, or nobody, but not this server.
func TestStreamEndsAsPlannedOnShutdown(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOver(t, l)
			streams := make([]*stream, 0, len(dialects))
			for _, d := range dialects {
				s := b.stream(b.register(d.name, "q"), d.option...)
				s.wants("resume")
				streams = append(streams, s)
			}
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- b.Shutdown(ctx) }()
			for i, s := range streams {
				if got := s.end(); got.Code() != connect.CodeDeadlineExceeded {
					t.Errorf("%s: ended with %v, want DeadlineExceeded", dialects[i].name, got)
				}
			}
			if err := <-ended; err != nil {
				t.Errorf("shutting down: %v", err)
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL()+"/healthz", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := b.client.Do(req); err == nil {
				res.Body.Close()
				t.Error("the port still answers")
			}
		})
	}
}

// A worker whose connection goes is no longer streaming, and gets its work by ping.
func TestStreamWhoseAgentIsGone(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOver(t, l)
			w := b.register("w", "q")
			s := b.stream(w, connect.WithGRPC())
			s.wants("resume")
			s.cancel()
			deadline := time.Now().Add(waitLimit)
			for streaming := true; streaming; {
				res, err := b.agents.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})
				if err != nil {
					t.Fatal(err)
				}
				if streaming = res.GetWorkers()[0].GetStreaming(); streaming && time.Now().After(deadline) {
					t.Fatal("the worker is still taken to be streaming")
				}
			}
			b.accepted(w, queued("q"))
		})
	}
}
