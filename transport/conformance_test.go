package transport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// recorder is a control plane on a real socket that records its requests. Calls without
// a handler get an empty object.
type recorder struct {
	answers map[string]http.HandlerFunc // by method and path below /v3
	streams http.Handler

	mu           sync.Mutex
	asked        []seen
	streamServer *streamServer
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == procedure {
		r.mu.Lock()
		r.asked = append(r.asked, seen{method: request.Method, uri: request.RequestURI, header: request.Header.Clone()})
		r.mu.Unlock()
		r.streams.ServeHTTP(w, request)
		return
	}
	if request.Method == "PRI" {
		return // the question for HTTP/2, which is not recorded
	}
	r.mu.Lock()
	r.asked = append(r.asked, see(request))
	r.mu.Unlock()
	path := strings.TrimPrefix(request.URL.Path, "/v3")
	if answer, ok := r.answers[request.Method+" "+path]; ok {
		answer(w, request)
		return
	}
	if path == "/register" {
		reply(200, registerAnswer)(w, request)
		return
	}
	reply(200, `{}`)(w, request)
}

// of returns the requests whose method and URI begin with a text.
func (r *recorder) of(start string) []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	var of []seen
	for _, request := range r.asked {
		if strings.HasPrefix(request.method+" "+request.uri, start) {
			of = append(of, request)
		}
	}
	return of
}

// one returns the only such request.
func (r *recorder) one(t *testing.T, start string) seen {
	t.Helper()
	of := r.of(start)
	if len(of) != 1 {
		t.Fatalf("%d requests %s, want one", len(of), start)
	}
	return of[0]
}

// scene is a registered worker and its control plane.
type scene struct {
	*recorder

	session *transport.Session
	url     string
}

type (
	answers = map[string]http.HandlerFunc
	act     = func(t *testing.T, s scene)
)

// fact is one fact of the agent protocol that the requests of an agent show. TestRetries
// and TestRegisterRetries test retries and their waits in virtual time.
type fact struct {
	section string
	fact    string
	answers answers
	streams []serve
	act     act
}

// TestConformance compares the client with the facts of the protocol, over real sockets.
func TestConformance(t *testing.T) {
	for _, row := range slices.Concat(factsAboutTransport(), factsAboutSessions(), factsAboutStreamsAndJobs()) {
		t.Run(row.section+"/"+row.fact, func(t *testing.T) {
			streams := row.streams
			if streams == nil {
				streams = []serve{inOrder(send(resume()), hold)}
			}
			control := &recorder{answers: row.answers}
			control.streamServer, control.streams = newStreamServer(streams...)
			server := httptest.NewServer(control)
			defer server.Close()
			client, err := transport.New(transport.Options{
				Endpoints: []string{server.URL + "/v3/"}, UserAgent: "agent/1", Headers: http.Header{"Buildkite-Cell": {"7"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
			if err != nil {
				t.Fatal(err)
			}
			row.act(t, scene{recorder: control, session: session, url: server.URL})
		})
	}
}

// ends checks the kind and code of the first end of a stream.
func ends(kind transport.StreamEventKind, code connect.Code) act {
	return func(t *testing.T, s scene) {
		for event := range streaming(t, s.session) {
			if event.Kind == transport.StreamMessage {
				continue
			}
			if event.Kind != kind || codeOf(event.Err) != code {
				t.Errorf("got %v %v (%v), want %v %v", event.Kind, codeOf(event.Err), event.Err, kind, code)
			}
			return
		}
	}
}

func header(t *testing.T, request seen, name, want string) {
	t.Helper()
	if got := strings.Join(request.header.Values(name), "|"); got != want {
		t.Errorf("%s %s: %s is %q, want %q", request.method, request.uri, name, got, want)
	}
}

func works(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, err error, says string, again bool) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || transport.Retryable(err) != again {
		t.Errorf("got %v (again: %t), want %s", err, transport.Retryable(err), says)
	}
}

func ping(t *testing.T, s scene) transport.PingResult {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answer, err := s.session.Ping(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
