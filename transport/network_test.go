package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// throughNothing fails if a proxy is asked for.
func throughNothing(*http.Request) (*url.URL, error) { return nil, errors.New("asked for a proxy") }

// watchedDial returns a dialer that calls tell for each connection.
func watchedDial(tell func(network, address string)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		tell(network, address)
		return new(net.Dialer).DialContext(ctx, network, address)
	}
}

// streaming starts RunStream in real time and returns its events.
func streaming(t *testing.T, session *transport.Session) <-chan transport.StreamEvent {
	t.Helper()
	events := make(chan transport.StreamEvent, 64)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		session.RunStream(ctx, transport.StreamOptions{}, func(event transport.StreamEvent) { events <- event })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return events
}

// serveOn starts a server on a listener, with HTTP/2 or without.
func serveOn(t *testing.T, listener net.Listener, handler http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	_ = server.Listener.Close()
	server.Listener = listener
	server.Config.ErrorLog = quiet()
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(http2)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// TestUnixSocket uses a real socket: calls are below the path of the endpoint, streams at
// the root, in both protocols, and no proxy is used.
func TestUnixSocket(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		t.Run(map[bool]string{true: "HTTP2", false: "HTTP1"}[http2], func(t *testing.T) {
			socket := filepath.Join(t.TempDir(), "a.sock")
			listener, err := net.Listen("unix", socket)
			if err != nil {
				t.Skipf("no Unix sockets here: %v", err)
			}
			service, streams := newStreamServer(inOrder(send(resume()), hold))
			var mu sync.Mutex
			var asked []string
			mux := http.NewServeMux()
			mux.Handle("/", streams)
			mux.Handle("POST /behind/v3/register", reply(200, registerAnswer))
			mux.Handle("GET /behind/v3/ping", reply(200, `{}`))
			server := serveOn(t, listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				if r.Host != "" { // an empty one is the question for HTTP/2
					asked = append(asked, r.Host+" "+r.URL.Path)
				}
				mu.Unlock()
				mux.ServeHTTP(w, r)
			}), http2)
			endpoint := "unix://" + socket + ":/behind/v3"
			client, err := transport.New(transport.Options{Endpoints: []string{endpoint}, Proxy: throughNothing})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
			if err != nil {
				t.Fatal(err)
			}
			if session.Endpoint() != endpoint {
				t.Errorf("at %s, want %s", session.Endpoint(), endpoint)
			}
			if _, err := session.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			if event := <-streaming(t, session); event.Kind != transport.StreamMessage {
				t.Errorf("got %v: %v", event.Kind, event.Err)
			}
			mu.Lock()
			got := strings.Join(asked, "\n")
			mu.Unlock()
			if want := "localhost /behind/v3/register\nlocalhost /behind/v3/ping\nlocalhost " + procedure; got != want {
				t.Errorf("asked for\n%s\nwant\n%s", got, want)
			}
			if want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[http2]; service.protocols() != want {
				t.Errorf("over %s, want %s", service.protocols(), want)
			}
			server.CloseClientConnections()
			server.Close()
			_, _ = session.Ping(t.Context()) // it may use the closed connection
			_, err = session.Ping(t.Context())
			if want := `Get "` + endpoint + `/ping": nothing listens there (dial unix ` + socket; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

// TestRemoteSocket shows that a control plane on a network cannot make an agent connect to
// a socket of its machine.
func TestRemoteSocket(t *testing.T) {
	var touched sync.Map
	dial := func(network, address string) { touched.Store(network, address) }
	const hidden = "http://2f72756e2f612e736f636b.socket.invalid/v3"
	for _, named := range []string{"unix:///run/a.sock:/v3", hidden} {
		mux := http.NewServeMux()
		mux.Handle("POST /v3/register", reply(200, strings.Replace(registerAnswer, "{", `{"endpoint":"`+named+`",`, 1)))
		mux.Handle("GET /v3/ping", reply(200, `{"endpoint":"`+named+`"}`))
		mux.Handle("GET /v3/jobs/j1", reply(307, "", "Location", hidden))
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := serveOn(t, listener, mux, false)
		client, err := transport.New(transport.Options{Endpoints: []string{server.URL + "/v3"}, DialContext: watchedDial(dial)})
		if err != nil {
			t.Fatal(err)
		}
		session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := session.Job(wire.Job{ID: "j1"}).State(t.Context()); err == nil {
			t.Error("followed a redirect to a socket")
		}
		if session.Endpoint() != server.URL+"/v3" {
			t.Errorf("moved to %s", session.Endpoint())
		}
		client.Close()
	}
	if address, ok := touched.Load("unix"); ok {
		t.Errorf("dialed %v", address)
	}
}

// TestIPv6 uses an IPv6 address, which has brackets in a URL.
func TestIPv6(t *testing.T) {
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("no IPv6 here: %v", err)
	}
	_, handler := newStreamServer(inOrder(send(resume()), hold))
	server := serveOn(t, listener, handler, true)
	client, err := transport.New(transport.Options{Endpoints: []string{"http://" + listener.Addr().String() + "/v3"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	if event := <-streaming(t, session); event.Kind != transport.StreamMessage {
		t.Errorf("got %v: %v", event.Kind, event.Err)
	}
	server.CloseClientConnections()
}

// TestHostIsLookedUpAgain moves a host name from one server to another: the next stream is
// opened there, even if the first server still runs.
func TestHostIsLookedUpAgain(t *testing.T) {
	for _, row := range []struct {
		name string
		ends serve // of the first server's stream
	}{
		{"planned end", failWith(connect.CodeDeadlineExceeded)},
		{"loss", failWith(connect.CodeUnavailable)},
	} {
		for _, http2 := range []bool{true, false} {
			t.Run(row.name+map[bool]string{true: "/HTTP2", false: "/HTTP1"}[http2], func(t *testing.T) {
				moved := make(chan struct{})
				_, first := newStreamServer(inOrder(send(resume()), func(context.Context, *streamOut) error {
					<-moved
					return nil
				}, row.ends))
				_, second := newStreamServer(inOrder(send(pause("here")), hold))
				var names sync.Map // the addresses of host names
				for name, handler := range map[string]http.Handler{"first": first, "second": second} {
					listener, err := net.Listen("tcp", "127.0.0.1:0")
					if err != nil {
						t.Fatal(err)
					}
					serveOn(t, listener, handler, http2)
					names.Store(name, listener.Addr().String())
				}
				where, _ := names.Load("first")
				names.Store("control.test:80", where)
				client, err := transport.New(transport.Options{
					Endpoints: []string{"http://control.test/v3"},
					DialContext: func(ctx context.Context, network, name string) (net.Conn, error) {
						address, _ := names.Load(name)
						return new(net.Dialer).DialContext(ctx, network, address.(string))
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(client.Close)
				session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
				if err != nil {
					t.Fatal(err)
				}
				events := streaming(t, session)
				<-events
				where, _ = names.Load("second")
				names.Store("control.test:80", where)
				close(moved)
				<-events // the end
				if event := <-events; event.Instruction.Reason != "here" {
					t.Errorf("got %v %v: %v", event.Kind, event.Instruction, event.Err)
				}
			})
		}
	}
}
