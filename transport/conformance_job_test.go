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

// factsAboutStreamsAndJobs returns the facts of sections 2 and 3.
func factsAboutStreamsAndJobs() []fact {
	return []fact{
		{section: "2 stream", fact: "gRPC, without a deadline", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			request := s.one(t, "POST "+procedure)
			for name, want := range map[string]string{
				"Content-Type": "application/grpc", "Te": "trailers", "Grpc-Accept-Encoding": "gzip", "Grpc-Timeout": "", "Connect-Protocol-Version": "",
			} {
				header(t, request, name, want)
			}
		}},
		{section: "2 stream", fact: "agent_id is the ID from register", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			s.streamServer.mu.Lock()
			defer s.streamServer.mu.Unlock()
			if len(s.streamServer.agents) != 1 || s.streamServer.agents[0] != workerID {
				t.Errorf("streams of %v", s.streamServer.agents)
			}
		}},
		{
			section: "2 stream", fact: "the actions; an unknown or missing one is a resume",
			streams: []serve{inOrder(send(resume(), pause("p"), disconnect("d"), assign(&agentedgev1.Job{Id: "j1"}), unknownAction(), &agentedgev1.StreamPingsResponse{}), hold)},
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
		{section: "2 stream", fact: "an assignment without a job breaks the stream", streams: []serve{inOrder(send(assign(nil)), hold)}, act: ends(transport.StreamLost, 0)},
		{section: "2 stream", fact: "a job without an ID breaks the stream", streams: []serve{inOrder(send(assign(&agentedgev1.Job{})), hold)}, act: ends(transport.StreamLost, 0)},
		{section: "2 stream", fact: "unauthenticated is a refusal", streams: []serve{failWith(connect.CodeUnauthenticated)}, act: ends(transport.StreamRefused, connect.CodeUnauthenticated)},
		{section: "2 stream", fact: "permission denied is a refusal", streams: []serve{failWith(connect.CodePermissionDenied)}, act: ends(transport.StreamRefused, connect.CodePermissionDenied)},
		{section: "2 stream", fact: "unimplemented is a refusal", streams: []serve{failWith(connect.CodeUnimplemented)}, act: ends(transport.StreamRefused, connect.CodeUnimplemented)},
		{section: "2 stream", fact: "deadline exceeded after a message is a planned end", streams: []serve{inOrder(send(resume()), failWith(connect.CodeDeadlineExceeded))}, act: ends(transport.StreamEnded, 0)},
		{section: "2 stream", fact: "a clean end after a message is planned", streams: []serve{send(resume())}, act: ends(transport.StreamEnded, 0)},
		{section: "2 stream", fact: "a clean end without a message is a loss (existing agents ignore it)", streams: []serve{send()}, act: ends(transport.StreamLost, 0)},
		{section: "2 stream", fact: "internal is a loss", streams: []serve{inOrder(send(resume()), failWith(connect.CodeInternal))}, act: ends(transport.StreamLost, connect.CodeInternal)},
		{section: "2 stream", fact: "unavailable is a loss", streams: []serve{failWith(connect.CodeUnavailable)}, act: ends(transport.StreamLost, connect.CodeUnavailable)},
		{section: "2 stream", fact: "unknown is a loss", streams: []serve{failWith(connect.CodeUnknown)}, act: ends(transport.StreamLost, connect.CodeUnknown)},

		{
			section: "3 job", fact: "accept has the session's token and no body; missing fields have defaults",
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
			section: "3 job", fact: "an error of the control plane ends an accept, even a 500",
			answers: answers{"PUT /jobs/j1/accept": reply(500, `{"message":"oops"}`)},
			act: func(t *testing.T, s scene) {
				_, err := s.session.Accept(t.Context(), "j1")
				fails(t, err, "500 Internal Server Error: oops", true)
				s.one(t, "PUT /v3/jobs/j1/accept")
			},
		},
		{
			section: "3 job", fact: "acquire has its lock header and the number of the try; 422 is a rejection",
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
		{section: "3 job", fact: "start has its time in UTC", act: func(t *testing.T, s scene) {
			works(t, s.session.Job(wire.Job{ID: "j1"}).Start(t.Context(), time.Date(2026, 8, 21, 12, 0, 0, 5, time.FixedZone("", 3600))))
			if body := s.one(t, "PUT /v3/jobs/j1/start").body; body != `{"started_at":"2026-08-21T11:00:00.000000005Z"}` {
				t.Errorf("sent %s", body)
			}
		}},
		{section: "3 job", fact: "a chunk is gzip, with its sequence, offset and uncompressed size", act: func(t *testing.T, s scene) {
			works(t, s.session.Job(wire.Job{ID: "j1"}).Chunk(t.Context(), wire.Chunk{Sequence: 1, Offset: 9, Data: []byte("hello")}))
			request := s.one(t, "POST /v3/jobs/j1/chunks?offset=9&sequence=1&size=5")
			header(t, request, "Content-Type", "text/plain")
			header(t, request, "Content-Encoding", "gzip")
			if request.body != "hello" {
				t.Errorf("sent %q", request.body)
			}
		}},
		{
			section: "3 job", fact: "the state of a job; a 401 means that its token is no longer valid",
			answers: answers{"GET /jobs/j1": reply(200, `{"state":"canceling"}`), "GET /jobs/j2": reply(401, `{"message":"gone"}`)},
			act: func(t *testing.T, s scene) {
				state, err := s.session.Job(wire.Job{ID: "j1"}).State(t.Context())
				works(t, err)
				if state != "canceling" {
					t.Errorf("in %q", state)
				}
				_, err = s.session.Job(wire.Job{ID: "j2"}).State(t.Context())
				if status, ok := errors.AsType[*transport.StatusError](err); !ok || status.Code != http.StatusUnauthorized {
					t.Errorf("got %v", err)
				}
			},
		},
		{
			section: "3 job", fact: "a finish always has the number of failed chunks; a refused one is not repeated",
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
}
