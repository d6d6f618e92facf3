package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// seen is a request as the control plane received it.
type seen struct {
	method, uri string
	header      http.Header
	body        string
}

func see(r *http.Request) seen {
	body, _ := io.ReadAll(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		if reader, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(reader)
		}
	}
	return seen{method: r.Method, uri: r.RequestURI, header: r.Header, body: string(body)}
}

// TestRequests shows the request of each call.
func TestRequests(t *testing.T) {
	const job = `{"id":"j/..1","chunks_max_size_bytes":1000,"token":"job-secret"}`
	at := time.Date(2026, 8, 21, 12, 0, 0, 5, time.FixedZone("east", 3600))
	accepted := wire.Job{ID: "j1", Token: jobToken}
	jobCall := func(call func(context.Context, *transport.JobSession) error) func(context.Context, *transport.Session) error {
		return func(ctx context.Context, s *transport.Session) error { return call(ctx, s.Job(accepted)) }
	}
	rows := []struct {
		name    string
		call    func(context.Context, *transport.Session) error
		answer  string
		want    string // method and URI
		token   string
		body    string
		timeout string // the header, empty if absent
		headers map[string]string
	}{
		{
			name: "connect", call: func(ctx context.Context, s *transport.Session) error { return s.Connect(ctx) },
			want: "POST /v3/connect", token: sessionToken, timeout: "60000",
		},
		{
			name: "disconnect", call: func(ctx context.Context, s *transport.Session) error { return s.Disconnect(ctx) },
			want: "POST /v3/disconnect", token: sessionToken, timeout: "60000",
		},
		{
			name: "heartbeat", call: func(ctx context.Context, s *transport.Session) error { return s.Heartbeat(ctx) },
			answer: `{"sent_at":"x"}`,
			want:   "POST /v3/heartbeat", token: sessionToken, timeout: "60000",
			body:    `{"sent_at":"` + syncStart.Format(time.RFC3339Nano) + `"}`,
			headers: map[string]string{"Content-Type": "application/json"},
		},
		{
			name: "ping", call: func(ctx context.Context, s *transport.Session) error { _, err := s.Ping(ctx); return err },
			answer: `{}`,
			want:   "GET /v3/ping", token: sessionToken, timeout: "10000",
		},
		{
			name:   "accept; any ID is one segment",
			call:   func(ctx context.Context, s *transport.Session) error { _, err := s.Accept(ctx, "j/..1"); return err },
			answer: job,
			want:   "PUT /v3/jobs/j%2F%2E%2E1/accept", token: sessionToken, timeout: "10000",
		},
		{
			name:   "acquire",
			call:   func(ctx context.Context, s *transport.Session) error { _, err := s.Acquire(ctx, "j/..1"); return err },
			answer: job,
			want:   "PUT /v3/jobs/j%2F%2E%2E1/acquire", token: sessionToken, timeout: "60000",
			headers: map[string]string{"X-Buildkite-Lock-Acquire-Job": "1", "X-Buildkite-Backoff-Sequence": "0"},
		},
		{
			name: "start",
			call: jobCall(func(ctx context.Context, j *transport.JobSession) error { return j.Start(ctx, at) }),
			want: "PUT /v3/jobs/j1/start", token: jobToken, timeout: "60000",
			body:    `{"started_at":"2026-08-21T11:00:00.000000005Z"}`,
			headers: map[string]string{"Content-Type": "application/json"},
		},
		{
			name: "chunk",
			call: jobCall(func(ctx context.Context, j *transport.JobSession) error {
				return j.Chunk(ctx, wire.Chunk{Sequence: 2, Offset: 100, Data: []byte("hello\n")})
			}),
			want: "POST /v3/jobs/j1/chunks?offset=100&sequence=2&size=6", token: jobToken,
			body:    "hello\n",
			headers: map[string]string{"Content-Type": "text/plain", "Content-Encoding": "gzip"},
		},
		{
			name:   "state",
			call:   jobCall(func(ctx context.Context, j *transport.JobSession) error { _, err := j.State(ctx); return err }),
			answer: `{"state":"running"}`,
			want:   "GET /v3/jobs/j1", token: jobToken, timeout: "60000",
		},
		{
			name: "finish of a success; it always has the number of failed chunks",
			call: jobCall(func(ctx context.Context, j *transport.JobSession) error {
				return j.Finish(ctx, wire.FinishRequest{ExitStatus: "0", FinishedAt: wire.FormatTime(at)})
			}),
			want: "PUT /v3/jobs/j1/finish", token: jobToken, timeout: "60000",
			body: `{"exit_status":"0","finished_at":"2026-08-21T11:00:00.000000005Z","chunks_failed_count":0}`,
		},
		{
			name: "finish of a canceled job by a worker that leaves",
			call: jobCall(func(ctx context.Context, j *transport.JobSession) error {
				j.LastJob = true
				return j.Finish(ctx, wire.FinishRequest{
					ExitStatus: "-1", Signal: "SIGTERM", SignalReason: "cancel", ChunksFailed: 2,
				})
			}),
			want: "PUT /v3/jobs/j1/finish", token: jobToken, timeout: "60000",
			body: `{"exit_status":"-1","signal":"SIGTERM","signal_reason":"cancel","chunks_failed_count":2,"ignore_agent_in_dispatches":true}`,
		},
		{
			name: "a job without a token uses the session's",
			call: func(ctx context.Context, s *transport.Session) error {
				return s.Job(wire.Job{ID: "j1"}).Start(ctx, time.Time{})
			},
			want: "PUT /v3/jobs/j1/start", token: sessionToken, timeout: "60000", body: `{}`,
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []seen
				harness := newHarness(t, registering(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					got = append(got, see(r))
					_, _ = io.WriteString(w, row.answer)
				})), withHeaders(http.Header{"Buildkite-Cell": {"7"}}))
				session := harness.register(t)
				if err := row.call(t.Context(), session); err != nil {
					t.Fatal(err)
				}
				if len(got) != 1 {
					t.Fatalf("got %d requests, want one: %v", len(got), got)
				}
				request := got[0]
				if is := request.method + " " + request.uri; is != row.want {
					t.Errorf("got %s, want %s", is, row.want)
				}
				if request.body != row.body {
					t.Errorf("body %s, want %s", request.body, row.body)
				}
				want := map[string]string{
					"Authorization": "Token " + row.token, "User-Agent": "agent/1",
					"Buildkite-Timeout-Milliseconds": row.timeout, "Buildkite-Cell": "7",
					"Content-Type": request.header.Get("Content-Type"),
				}
				if row.body == "" {
					want["Content-Type"] = ""
				}
				maps.Copy(want, row.headers)
				for name, value := range want {
					if is := strings.Join(request.header.Values(name), "|"); is != value {
						t.Errorf("%s: %q, want %q", name, is, value)
					}
				}
			})
		})
	}
}

// syncStart is the start of virtual time, in the zone of the machine.
var syncStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).In(time.Local)

// registered is what a session knows after a registration.
type registered struct {
	ID, Endpoint                                       string
	PingInterval, HeartbeatInterval, JobStatusInterval time.Duration
}

func TestRegister(t *testing.T) {
	rows := []struct {
		name       string
		endpoint   string
		answer     string
		want       registered
		headers    http.Header // in use afterwards
		wantErrHas string
	}{
		{
			name:   "all fields",
			answer: `{"id":"a","name":"n","access_token":"s","ping_interval":5,"heartbeat_interval":30,"job_status_interval":2,"meta_data":["queue=q"],"unknown":[1]}`,
			want: registered{
				ID: "a", Endpoint: testEndpoint,
				PingInterval: 5 * time.Second, HeartbeatInterval: 30 * time.Second, JobStatusInterval: 2 * time.Second,
			},
			headers: http.Header{"Buildkite-Cell": {"7"}},
		},
		{
			name:   "intervals that are missing, negative and too long",
			answer: `{"id":"a","access_token":"s","heartbeat_interval":-5,"job_status_interval":9000000000000000000}`,
			want: registered{
				ID: "a", Endpoint: testEndpoint,
				PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: 24 * time.Hour,
			},
			headers: http.Header{"Buildkite-Cell": {"7"}},
		},
		{
			name:    "headers replaced; those without the exact prefix or with invalid characters are ignored",
			answer:  `{"id":"a","access_token":"s","request_headers":{"Buildkite-A":"1","X-B":"2","buildkite-c":"3","Buildkite-D":"x\r\ny","Buildkite-E:":"4"}}`,
			want:    registered{ID: "a", Endpoint: testEndpoint, PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: time.Second},
			headers: http.Header{"Buildkite-A": {"1"}},
		},
		{
			name:    "headers cleared",
			answer:  `{"id":"a","access_token":"s","request_headers":{}}`,
			want:    registered{ID: "a", Endpoint: testEndpoint, PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: time.Second},
			headers: http.Header{},
		},
		{
			name:    "headers null are kept",
			answer:  `{"id":"a","access_token":"s","request_headers":null}`,
			want:    registered{ID: "a", Endpoint: testEndpoint, PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: time.Second},
			headers: http.Header{"Buildkite-Cell": {"7"}},
		},
		{
			name:    "another endpoint",
			answer:  `{"id":"a","access_token":"s","endpoint":"http://other.test/v3/"}`,
			want:    registered{ID: "a", Endpoint: "http://other.test/v3", PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: time.Second},
			headers: http.Header{"Buildkite-Cell": {"7"}},
		},
		{
			name:    "an invalid endpoint is not used",
			answer:  `{"id":"a","access_token":"s","endpoint":"ftp://other.test"}`,
			want:    registered{ID: "a", Endpoint: testEndpoint, PingInterval: time.Second, HeartbeatInterval: time.Second, JobStatusInterval: time.Second},
			headers: http.Header{"Buildkite-Cell": {"7"}},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				harness := newHarness(t, reply(http.StatusOK, row.answer), withHeaders(http.Header{"Buildkite-Cell": {"7"}}))
				session, err := harness.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
				if err != nil {
					t.Fatal(err)
				}
				got := registered{
					session.ID(), session.Endpoint(),
					session.PingInterval(), session.HeartbeatInterval(), session.JobStatusInterval(),
				}
				if got != row.want {
					t.Errorf("got %+v, want %+v", got, row.want)
				}
				if got := session.RequestHeaders(); !maps.EqualFunc(got, row.headers, slices.Equal) {
					t.Errorf("headers %v, want %v", got, row.headers)
				}
			})
		})
	}
}

func TestRegisterSendsWhoItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got seen
		harness := newHarness(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = see(r)
			_, _ = io.WriteString(w, registerAnswer)
		}))
		harness.register(t)
		const want = `{"name":"one","hostname":"","os":"","arch":"","script_eval_enabled":false,"ignore_in_dispatches":false,` +
			`"version":"","build":"","meta_data":[],"features":[]}`
		if got.method+" "+got.uri != "POST /v3/register" || got.body != want {
			t.Errorf("got %s %s %s", got.method, got.uri, got.body)
		}
		if auth := got.header.Get("Authorization"); auth != "Token "+registrationToken {
			t.Errorf("Authorization %q", auth)
		}
	})
}

func TestPing(t *testing.T) {
	idle := wire.Instruction{Kind: wire.Resume}
	rows := []struct {
		name   string
		answer string
		want   wire.Instruction
	}{
		{"idle", `{}`, idle},
		{"nulls", `{"action":null,"job":null,"endpoint":null}`, idle},
		{"an unknown action", `{"action":"dance"}`, idle},
		{"job", `{"job":{"id":"j1","env":{"A":"1"}}}`, wire.Instruction{Kind: wire.JobAssigned, JobID: "j1"}},
		{"pause", `{"action":"pause","message":"upgrade"}`, wire.Instruction{Kind: wire.Pause, Reason: "upgrade"}},
		{"a job with a pause is ignored", `{"action":"pause","job":{"id":"j1"}}`, wire.Instruction{Kind: wire.Pause}},
		{"a reason on several lines", `{"action":"pause","message":"up\n\u001b[31mgrade"}`, wire.Instruction{Kind: wire.Pause, Reason: "up [31mgrade"}},
		{"disconnect", `{"action":"disconnect","message":"bye"}`, wire.Instruction{Kind: wire.Disconnect, Reason: "bye"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				session := newHarness(t, registering(reply(http.StatusOK, row.answer))).register(t)
				got, err := session.Ping(t.Context())
				if err != nil || got.Instruction != row.want {
					t.Errorf("got %+v, %v; want %+v", got, err, row.want)
				}
			})
		})
	}
}

// TestPingMoves shows when a session moves to the endpoint that the response to a ping
// names.
func TestPingMoves(t *testing.T) {
	moved := wire.Instruction{Kind: wire.JobAssigned, JobID: "from-new"}
	stayed := wire.Instruction{Kind: wire.JobAssigned, JobID: "from-old"}
	rows := []struct {
		name     string
		named    string
		there    http.HandlerFunc
		want     wire.Instruction
		endpoint string
	}{
		{"it responds", "http://new.test/v3", reply(200, `{"job":{"id":"from-new"},"request_headers":{"Buildkite-N":"1"}}`), moved, "http://new.test/v3"},
		{"it fails", "http://new.test/v3", reply(503, ``), stayed, testEndpoint},
		{"it refuses", "http://new.test/v3", reply(401, `{"message":"who?"}`), stayed, testEndpoint},
		{"it is silent", "http://new.test/v3", silent, stayed, testEndpoint},
		{"it is the same", testEndpoint + "/", reply(500, ``), stayed, testEndpoint},
		{"it is not a URL", "nowhere", reply(500, ``), stayed, testEndpoint},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mux := http.NewServeMux()
				mux.HandleFunc("new.test/v3/ping", row.there)
				mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
					time.Sleep(3 * time.Second)
					reply(200, `{"job":{"id":"from-old"},"endpoint":"`+row.named+`"}`)(w, r)
				})
				session := newHarness(t, registering(mux)).register(t)
				started := time.Now()
				got, err := session.Ping(t.Context())
				if err != nil || got.Instruction != row.want {
					t.Errorf("got %+v, %v; want %+v", got, err, row.want)
				}
				if session.Endpoint() != row.endpoint {
					t.Errorf("at %s, want %s", session.Endpoint(), row.endpoint)
				}
				if took := time.Since(started); took > 10*time.Second {
					t.Errorf("took %s, longer than the timeout of a ping", took)
				}
			})
		})
	}
}

// TestPingMovesLater shows that an endpoint that does not respond at first is tried again
// with each response that names it.
func TestPingMovesLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("new.test/v3/ping", &script{steps: []http.HandlerFunc{
			reply(503, ``), reply(401, `{"message":"connect first"}`), reply(200, `{}`),
		}})
		mux.HandleFunc("/", reply(200, `{"endpoint":"http://new.test/v3"}`))
		session := newHarness(t, registering(mux)).register(t)
		for i, want := range []string{testEndpoint, testEndpoint, "http://new.test/v3", "http://new.test/v3"} {
			if _, err := session.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if got := session.Endpoint(); got != want {
				t.Errorf("after ping %d: at %s, want %s", i+1, got, want)
			}
		}
	})
}

func TestAcceptedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const answer = `{"id":"j1","state":"accepted","env":{"A":"1","B":""},"step":{"command":"true"},"chunks_max_size_bytes":1000,
			"chunks_interval_seconds":0,"log_max_size_bytes":0,"token":"job-secret","runnable_at":"2026-08-21T12:00:00.5Z","priority":3,"new":{}}`
		session := newHarness(t, registering(reply(200, answer))).register(t)
		job, err := session.Accept(t.Context(), "j1")
		if err != nil {
			t.Fatal(err)
		}
		if job.ID != "j1" || !maps.Equal(job.Env, map[string]string{"A": "1", "B": ""}) ||
			job.ChunkMaxSize != 1000 || job.ChunkInterval != 1 || job.LogMaxSize != 1<<30 || job.Token != jobToken {
			t.Errorf("got %s, %v, %d, %d, %d", job.ID, job.Env, job.ChunkMaxSize, job.ChunkInterval, job.LogMaxSize)
		}
		if text := fmt.Sprintf("%v %+v %#v", job, job, job); strings.Contains(text, jobToken) {
			t.Errorf("printed as %s", text)
		}
	})
}
