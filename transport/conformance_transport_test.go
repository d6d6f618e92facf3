package transport_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// factsAboutTransport returns the facts of section 0.
func factsAboutTransport() []fact {
	return []fact{
		{section: "0 transport", fact: "calls are below the endpoint, without its trailing slash", act: func(t *testing.T, s scene) {
			s.one(t, "POST /v3/register")
		}},
		{section: "0 transport", fact: "the stream is at the root of the host, whatever the endpoint's path", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			s.one(t, "POST /agentedge.v1.AgentEdgeService/StreamPings")
		}},
		{section: "0 transport", fact: "Authorization: Token on calls and on the stream", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			header(t, s.one(t, "POST /v3/register"), "Authorization", "Token "+registrationToken)
			header(t, s.one(t, "POST "+procedure), "Authorization", "Token "+sessionToken)
		}},
		{
			section: "0 transport", fact: "a redirect on the same host keeps the token",
			answers: answers{"GET /ping": reply(307, "", "Location", "/v3/elsewhere")},
			act: func(t *testing.T, s scene) {
				ping(t, s)
				header(t, s.one(t, "GET /v3/elsewhere"), "Authorization", "Token "+sessionToken)
			},
		},
		{section: "0 transport", fact: "User-Agent as configured", act: func(t *testing.T, s scene) {
			header(t, s.one(t, "POST /v3/register"), "User-Agent", "agent/1")
		}},
		{section: "0 transport", fact: "a JSON body has its Content-Type; without a body there is a length of 0 and no type", act: func(t *testing.T, s scene) {
			works(t, s.session.Connect(t.Context()))
			header(t, s.one(t, "POST /v3/register"), "Content-Type", "application/json")
			header(t, s.one(t, "POST /v3/connect"), "Content-Type", "")
			header(t, s.one(t, "POST /v3/connect"), "Content-Length", "0")
		}},
		{section: "0 transport", fact: "Buildkite-Timeout-Milliseconds on calls, not on chunks and not on the stream", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			works(t, s.session.Connect(t.Context()))
			works(t, s.session.Job(wire.Job{ID: "j1"}).Chunk(t.Context(), wire.Chunk{Sequence: 1, Data: []byte("x")}))
			if s.one(t, "POST /v3/connect").header.Get("Buildkite-Timeout-Milliseconds") == "" {
				t.Error("a call without its timeout")
			}
			header(t, s.one(t, "POST /v3/jobs/j1/chunks"), "Buildkite-Timeout-Milliseconds", "")
			header(t, s.one(t, "POST "+procedure), "Buildkite-Timeout-Milliseconds", "")
		}},
		{section: "0 transport", fact: "configured headers are sent with calls, chunks and the stream", act: func(t *testing.T, s scene) {
			<-streaming(t, s.session)
			works(t, s.session.Job(wire.Job{ID: "j1"}).Chunk(t.Context(), wire.Chunk{Sequence: 1, Data: []byte("x")}))
			for _, start := range []string{"POST /v3/register", "POST /v3/jobs/j1/chunks", "POST " + procedure} {
				header(t, s.one(t, start), "Buildkite-Cell", "7")
			}
		}},
		{section: "0 transport", fact: "segments of a path are escaped, dots too", act: func(t *testing.T, s scene) {
			_, _ = s.session.Job(wire.Job{ID: "../a b"}).State(t.Context())
			s.one(t, "GET /v3/jobs/%2E%2E%2Fa%20b")
		}},
		{
			section: "0 transport", fact: "any 2xx is a success",
			answers: answers{"POST /connect": reply(202, ""), "GET /ping": reply(299, `{"job":{"id":"j1"}}`)},
			act: func(t *testing.T, s scene) {
				works(t, s.session.Connect(t.Context()))
				if got := ping(t, s); got.Instruction.JobID != "j1" {
					t.Errorf("got %+v", got)
				}
			},
		},
		{
			section: "0 transport", fact: "an error has {message}; a body that is not JSON is quoted in one line",
			answers: answers{"GET /ping": reply(422, `{"message":"wrong state"}`), "GET /jobs/j1": reply(502, "<html><title>Bad\nGateway</title>")},
			act: func(t *testing.T, s scene) {
				_, err := s.session.Ping(t.Context())
				fails(t, err, "422 Unprocessable Entity: wrong state", false)
				_, err = s.session.Job(wire.Job{ID: "j1"}).State(t.Context())
				fails(t, err, `502 Bad Gateway, not from the control plane: "HTML page: Bad Gateway"`, true)
			},
		},
		{
			section: "0 transport", fact: "a 2xx that cannot be decoded may be tried again, and is not a refusal",
			answers: answers{"GET /ping": reply(200, "OK"), "GET /jobs/j1": reply(204, "")},
			act: func(t *testing.T, s scene) {
				_, err := s.session.Ping(t.Context())
				fails(t, err, "not a JSON object", true)
				_, err = s.session.Job(wire.Job{ID: "j1"}).State(t.Context())
				fails(t, err, "it is empty", true)
			},
		},
		{
			section: "0 transport", fact: "bodies that are not needed are not decoded",
			answers: answers{"POST /connect": reply(200, "<html>"), "POST /disconnect": reply(200, "["), "PUT /jobs/j1/start": reply(204, "")},
			act: func(t *testing.T, s scene) {
				works(t, s.session.Connect(t.Context()))
				works(t, s.session.Job(wire.Job{ID: "j1"}).Start(t.Context(), time.Now()))
				works(t, s.session.Disconnect(t.Context()))
			},
		},
		{
			section: "0 transport", fact: "429 and 5xx may be tried again, other statuses not; Retry-After is read",
			answers: answers{"GET /ping": (&script{steps: []http.HandlerFunc{
				reply(429, "", "Retry-After", "7"), reply(503, "", "Retry-After", "0.5"), reply(418, `{"message":"no"}`),
			}}).ServeHTTP},
			act: func(t *testing.T, s scene) {
				for _, want := range []struct {
					again bool
					wait  time.Duration
				}{{true, 7 * time.Second}, {true, time.Second / 2}, {false, 0}} {
					_, err := s.session.Ping(t.Context())
					if transport.Retryable(err) != want.again || transport.RetryAfter(err) != want.wait {
						t.Errorf("%v: again %t, after %s", err, transport.Retryable(err), transport.RetryAfter(err))
					}
				}
			},
		},
		{
			section: "0 transport", fact: "bodies, headers and messages have bounds",
			answers: answers{
				"GET /ping":    reply(200, `{"message":"`+strings.Repeat("x", 17<<20)+`"}`),
				"GET /jobs/j1": reply(200, `{}`, "X-Long", strings.Repeat("x", 512<<10)),
			},
			streams: []serve{send(pause(strings.Repeat("x", 2<<20)))},
			act: func(t *testing.T, s scene) {
				_, err := s.session.Ping(t.Context())
				fails(t, err, "longer than 16777216 bytes", true)
				_, err = s.session.Job(wire.Job{ID: "j1"}).State(t.Context())
				fails(t, err, "header", true)
				if event := <-streaming(t, s.session); event.Kind != transport.StreamLost || codeOf(event.Err) != connect.CodeResourceExhausted {
					t.Errorf("got %v %v", event.Kind, event.Err)
				}
			},
		},
		{section: "0 transport", fact: "a job's calls use its token, or the session's without one", act: func(t *testing.T, s scene) {
			works(t, s.session.Job(wire.Job{ID: "j1", Token: jobToken}).Start(t.Context(), time.Now()))
			works(t, s.session.Job(wire.Job{ID: "j2"}).Start(t.Context(), time.Now()))
			header(t, s.one(t, "PUT /v3/jobs/j1/start"), "Authorization", "Token "+jobToken)
			header(t, s.one(t, "PUT /v3/jobs/j2/start"), "Authorization", "Token "+sessionToken)
		}},
	}
}
