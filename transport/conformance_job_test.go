package transport_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/transport"
)

// factsOfStreamsAndJobs are those of sections 2 and 3.
var factsOfStreamsAndJobs = []fact{
	{section: "2 stream", fact: "gRPC, without a deadline", act: func(t *testing.T, s scene) {
		<-streaming(t, s.session)
		request := s.one(t, "POST "+procedure)
		for name, want := range map[string]string{
			"Content-Type": "application/grpc", "Te": "trailers", "Grpc-Accept-Encoding": "gzip", "Grpc-Timeout": "", "Connect-Protocol-Version": "",
		} {
			header(t, request, name, want)
		}
	}},
	{section: "2 stream", fact: "agent_id is the id that register gave", act: func(t *testing.T, s scene) {
		<-streaming(t, s.session)
		s.edge.mu.Lock()
		defer s.edge.mu.Unlock()
		if len(s.edge.agents) != 1 || s.edge.agents[0] != workerID {
			t.Errorf("streams of %v", s.edge.agents)
		}
	}},
	{
		section: "2 stream", fact: "the actions; one that is not known, or none, is a resume",
		streams: []serve{then(say(resume(), pause("p"), disconnect("d"), assign(&agentedgev1.Job{Id: "j1"}), fromTheFuture(), &agentedgev1.StreamPingsResponse{}), stay)},
		act: func(t *testing.T, s scene) {
			events := streaming(t, s.session)
			for _, want := range []wire.Instruction{
				{Kind: wire.Resume},
				{Kind: wire.Pause, Reason: "p"},
				{Kind: wire.Disconnect, Reason: "d"},
				{Kind: wire.JobAssigned, JobID: "j1"},
				{Kind: wire.Resume},
				{Kind: wire.Resume},
			} {
				if event := <-events; event.Kind != transport.StreamMessage || event.Instruction != want {
					t.Errorf("got %v %+v, want %+v", event.Kind, event.Instruction, want)
				}
			}
		},
	},
	{section: "2 stream", fact: "no job breaks the stream", streams: []serve{then(say(assign(nil)), stay)}, act: ends(transport.StreamLost, 0)},
	{section: "2 stream", fact: "a job without an id breaks the stream", streams: []serve{then(say(assign(&agentedgev1.Job{})), stay)}, act: ends(transport.StreamLost, 0)},
	{section: "2 stream", fact: "unauthenticated is a refusal", streams: []serve{fail(connect.CodeUnauthenticated)}, act: ends(transport.StreamRefused, connect.CodeUnauthenticated)},
	{section: "2 stream", fact: "permission denied is a refusal", streams: []serve{fail(connect.CodePermissionDenied)}, act: ends(transport.StreamRefused, connect.CodePermissionDenied)},
	{section: "2 stream", fact: "unimplemented is a refusal", streams: []serve{fail(connect.CodeUnimplemented)}, act: ends(transport.StreamRefused, connect.CodeUnimplemented)},
	{section: "2 stream", fact: "deadline exceeded, after a message, is a plan", streams: []serve{then(say(resume()), fail(connect.CodeDeadlineExceeded))}, act: ends(transport.StreamEnded, 0)},
	{section: "2 stream", fact: "a clean end after a message is a plan", streams: []serve{say(resume())}, act: ends(transport.StreamEnded, 0)},
	{section: "2 stream", fact: "a clean end without a message is a loss (existing agents starve)", streams: []serve{say()}, act: ends(transport.StreamLost, 0)},
	{section: "2 stream", fact: "internal is a loss", streams: []serve{then(say(resume()), fail(connect.CodeInternal))}, act: ends(transport.StreamLost, connect.CodeInternal)},
	{section: "2 stream", fact: "unavailable is a loss", streams: []serve{fail(connect.CodeUnavailable)}, act: ends(transport.StreamLost, connect.CodeUnavailable)},
	{section: "2 stream", fact: "unknown is a loss", streams: []serve{fail(connect.CodeUnknown)}, act: ends(transport.StreamLost, connect.CodeUnknown)},

	{
		section: "3 job", fact: "accept, with the session's token and without a body; what is not said takes its default",
		answers: answers{"PUT /jobs/j1/accept": reply(200, `{"id":"j1","env":{"A":"1"},"chunks_max_size_bytes":10,"token":"job-secret"}`)},
		act: func(t *testing.T, s scene) {
			job, err := s.session.Accept(t.Context(), "j1")
			works(t, err)
			request := s.one(t, "PUT /v3/jobs/j1/accept")
			header(t, request, "Authorization", "Token "+sessionToken)
			if request.body != "" || job.Env["A"] != "1" || job.ChunkMaxSize != 10 || job.ChunkInterval != 1 || job.LogMaxSize != 1<<30 || job.Token != jobToken {
				t.Errorf("sent %q, got %s in %d, %d", request.body, job, job.ChunkInterval, job.LogMaxSize)
			}
		},
	},
	{
		section: "3 job", fact: "an accept that the control plane answers with an error is over, even by a 500",
		answers: answers{"PUT /jobs/j1/accept": reply(500, `{"message":"oops"}`)},
		act: func(t *testing.T, s scene) {
			_, err := s.session.Accept(t.Context(), "j1")
			fails(t, err, "500 Internal Server Error: oops", true)
			s.one(t, "PUT /v3/jobs/j1/accept")
		},
	},
	{
		section: "3 job", fact: "acquire says that it locks, and which try it is; 422 is a rejection",
		answers: answers{"PUT /jobs/j1/acquire": (&script{steps: []http.HandlerFunc{
			reply(423, `{"message":"waits"}`, "Retry-After", "0.001"), reply(429, "", "Retry-After", "0.001"), reply(422, `{"message":"no"}`),
		}}).ServeHTTP},
		act: func(t *testing.T, s scene) {
			_, err := s.session.Acquire(t.Context(), "j1")
			if !errors.Is(err, transport.ErrAcquireRejected) {
				t.Errorf("got %v", err)
			}
			var tries []string
			for _, request := range s.of("PUT /v3/jobs/j1/acquire") {
				tries = append(tries, request.header.Get("X-Buildkite-Lock-Acquire-Job")+"/"+request.header.Get("X-Buildkite-Backoff-Sequence"))
			}
			if want := []string{"1/0", "1/1", "1/2"}; !slices.Equal(tries, want) {
				t.Errorf("tries %q, want %q", tries, want)
			}
		},
	},
	{section: "3 job", fact: "start says when, in UTC", act: func(t *testing.T, s scene) {
		works(t, s.session.Job(wire.Job{ID: "j1"}).Start(t.Context(), time.Date(2026, 8, 21, 12, 0, 0, 5, time.FixedZone("", 3600))))
		if body := s.one(t, "PUT /v3/jobs/j1/start").body; body != `{"started_at":"2026-08-21T11:00:00.000000005Z"}` {
			t.Errorf("sent %s", body)
		}
	}},
	{section: "3 job", fact: "a chunk is gzip, and says its number, offset and length before compression", act: func(t *testing.T, s scene) {
		works(t, s.session.Job(wire.Job{ID: "j1"}).Chunk(t.Context(), wire.Chunk{Sequence: 1, Offset: 9, Data: []byte("hello")}))
		request := s.one(t, "POST /v3/jobs/j1/chunks?offset=9&sequence=1&size=5")
		header(t, request, "Content-Type", "text/plain")
		header(t, request, "Content-Encoding", "gzip")
		if request.body != "hello" {
			t.Errorf("sent %q", request.body)
		}
	}},
	{
		section: "3 job", fact: "the state of a job; a 401 is the end of its token",
		answers: answers{"GET /jobs/j1": reply(200, `{"state":"canceling"}`), "GET /jobs/j2": reply(401, `{"message":"gone"}`)},
		act: func(t *testing.T, s scene) {
			state, err := s.session.Job(wire.Job{ID: "j1"}).State(t.Context())
			if works(t, err); state != "canceling" {
				t.Errorf("in %q", state)
			}
			_, err = s.session.Job(wire.Job{ID: "j2"}).State(t.Context())
			if status, ok := errors.AsType[*transport.StatusError](err); !ok || status.Code != http.StatusUnauthorized {
				t.Errorf("got %v", err)
			}
		},
	},
	{
		section: "3 job", fact: "a finish always counts the chunks that failed; one that is refused is dropped",
		answers: answers{"PUT /jobs/j1/finish": reply(422, `{"message":"finished already"}`)},
		act: func(t *testing.T, s scene) {
			err := s.session.Job(wire.Job{ID: "j1"}).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})
			fails(t, err, "finished already", false)
			if body := s.one(t, "PUT /v3/jobs/j1/finish").body; body != `{"exit_status":"0","chunks_failed_count":0}` {
				t.Errorf("sent %s", body)
			}
		},
	},
}
