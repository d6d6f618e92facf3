package transport_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// factsAboutSessions returns the facts of section 1.
func factsAboutSessions() []fact {
	return []fact{
		{section: "1 session", fact: "register sends the required fields and omits the optional ones", act: func(t *testing.T, s scene) {
			var said map[string]any
			if err := json.Unmarshal([]byte(s.one(t, "POST /v3/register").body), &said); err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{
				"name", "hostname", "os", "arch", "script_eval_enabled", "ignore_in_dispatches", "version", "build", "meta_data", "features",
			} {
				if said[field] == nil {
					t.Errorf("%s is missing", field)
				}
				delete(said, field)
			}
			if len(said) > 0 {
				t.Errorf("unexpected fields: %v", said)
			}
		}},
		{
			section: "1 session", fact: "register sets the headers and the endpoint of later requests",
			answers: answers{"POST /register": func(w http.ResponseWriter, r *http.Request) {
				reply(200, `{"id":"w-1","access_token":"session-secret","endpoint":"http://`+r.Host+`/v4/","request_headers":{"Buildkite-A":"1","X-B":"2"}}`)(w, r)
			}},
			act: func(t *testing.T, s scene) {
				<-streaming(t, s.session)
				ping(t, s)
				header(t, s.one(t, "GET /v4/ping"), "Buildkite-A", "1")
				header(t, s.one(t, "GET /v4/ping"), "X-B", "")
				header(t, s.one(t, "GET /v4/ping"), "Buildkite-Cell", "")
				header(t, s.one(t, "POST "+procedure), "Buildkite-A", "1")
			},
		},
		{
			section: "1 session", fact: "an endpoint of register is used before it responds to pings",
			answers: answers{"POST /register": func(w http.ResponseWriter, r *http.Request) {
				reply(200, `{"id":"w-1","access_token":"session-secret","endpoint":"http://`+r.Host+`/v4"}`)(w, r)
			}, "GET /v4/ping": reply(503, ``)},
			act: func(t *testing.T, s scene) {
				works(t, s.session.Connect(t.Context()))
				s.one(t, "POST /v4/connect")
			},
		},
		{
			section: "1 session", fact: "intervals below a second are a second",
			answers: answers{"POST /register": reply(200, `{"id":"w-1","access_token":"s","ping_interval":0,"heartbeat_interval":-1}`)},
			act: func(t *testing.T, s scene) {
				if s.session.PingInterval() != time.Second || s.session.HeartbeatInterval() != time.Second || s.session.JobStatusInterval() != time.Second {
					t.Errorf("got %s, %s, %s", s.session.PingInterval(), s.session.HeartbeatInterval(), s.session.JobStatusInterval())
				}
			},
		},
		{section: "1 session", fact: "connect and disconnect have no body", act: func(t *testing.T, s scene) {
			works(t, s.session.Connect(t.Context()))
			works(t, s.session.Disconnect(t.Context()))
			if body := s.one(t, "POST /v3/connect").body + s.one(t, "POST /v3/disconnect").body; body != "" {
				t.Errorf("sent %q", body)
			}
		}},
		{section: "1 session", fact: "a heartbeat has its time in nanoseconds", act: func(t *testing.T, s scene) {
			works(t, s.session.Heartbeat(t.Context()))
			var said struct {
				SentAt time.Time `json:"sent_at"`
			}
			body := s.one(t, "POST /v3/heartbeat").body
			if err := json.Unmarshal([]byte(body), &said); err != nil || time.Since(said.SentAt).Abs() > time.Hour {
				t.Errorf("sent %s: %v", body, err)
			}
		}},
		{
			section: "1 session", fact: "a ping's action and job; unknown actions are ignored, and so is a job with a pause",
			answers: answers{"GET /ping": (&script{steps: []http.HandlerFunc{
				reply(200, `{}`), reply(200, `{"action":"dance"}`), reply(200, `{"action":"pause","message":"m","job":{"id":"j1"}}`),
				reply(200, `{"action":"disconnect"}`), reply(200, `{"job":{"id":"j1"},"new":1}`),
			}}).ServeHTTP},
			act: func(t *testing.T, s scene) {
				for _, want := range []wire.Instruction{
					{Kind: wire.Resume},
					{Kind: wire.Resume},
					{Kind: wire.Pause, Reason: "m"},
					{Kind: wire.Disconnect},
					{Kind: wire.JobAssigned, JobID: "j1"},
				} {
					if got := ping(t, s).Instruction; got != want {
						t.Errorf("got %+v, want %+v", got, want)
					}
				}
			},
		},
		{
			section: "1 session", fact: "an endpoint of a ping is pinged first; the second response counts, and a failure keeps the old endpoint",
			answers: answers{"GET /ping": func(w http.ResponseWriter, r *http.Request) {
				reply(200, `{"message":"there","endpoint":"http://`+r.Host+`/v4"}`)(w, r)
			}, "GET /v4/ping": (&script{steps: []http.HandlerFunc{reply(503, ""), reply(200, `{"message":"here"}`)}}).ServeHTTP},
			act: func(t *testing.T, s scene) {
				for _, want := range []struct{ message, path string }{{"there", "/v3"}, {"here", "/v4"}, {"here", "/v4"}} {
					if got := ping(t, s); got.Message != want.message || s.session.Endpoint() != s.url+want.path {
						t.Errorf("got %q, now at %s", got.Message, s.session.Endpoint())
					}
				}
			},
		},
		{
			section: "1 session", fact: "headers of a ping: absent or null keeps, a set replaces, an empty set clears",
			answers: answers{"GET /ping": (&script{steps: []http.HandlerFunc{
				reply(200, `{}`), reply(200, `{"request_headers":null}`), reply(200, `{"request_headers":{"Buildkite-A":"1"}}`),
				reply(200, `{"request_headers":{}}`), reply(200, `{}`),
			}}).ServeHTTP},
			act: func(t *testing.T, s scene) {
				for range 5 {
					ping(t, s)
				}
				var sent []string
				for _, request := range s.of("GET /v3/ping") {
					sent = append(sent, request.header.Get("Buildkite-Cell")+"/"+request.header.Get("Buildkite-A"))
				}
				if want := []string{"7/", "7/", "7/", "/1", "/"}; !slices.Equal(sent, want) {
					t.Errorf("sent %q, want %q", sent, want)
				}
			},
		},
	}
}
