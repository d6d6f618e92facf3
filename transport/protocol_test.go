package transport_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// protocols records the protocol of each request.
type protocols struct {
	mu   sync.Mutex
	seen []string
	next http.Handler
}

func (p *protocols) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == "PRI" {
		// The HTTP/2 preface, which net/http shows to handlers if the server
		// does not speak HTTP/2.
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.seen = append(p.seen, r.Proto)
	p.mu.Unlock()
	p.next.ServeHTTP(w, r)
}

func (p *protocols) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.seen, " ")
}

// TestProtocolWithoutTLS shows which protocol is used with an http server, and that the
// server is asked once.
func TestProtocolWithoutTLS(t *testing.T) {
	rows := []struct {
		name   string
		change []option
		want   string
		dials  int64 // with the question for HTTP/2
	}{
		{"a server with HTTP/2", nil, "HTTP/2.0 HTTP/2.0 HTTP/2.0", 2},
		{"a server without HTTP/2", []option{http1}, "HTTP/1.1 HTTP/1.1 HTTP/1.1", 2},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := &protocols{next: registering(reply(200, `{}`))}
				harness := newHarness(t, handler, row.change...)
				session := harness.register(t)
				for range 2 {
					if _, err := session.Ping(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if handler.String() != row.want || harness.network.Dials.Load() != row.dials {
					t.Errorf("%s over %d connections, want %s over %d", handler, harness.network.Dials.Load(), row.want, row.dials)
				}
			})
		})
	}
}

// TestUnclearResponses shows that HTTP/1.1 is used with a server that does not respond to
// the question for HTTP/2, or closes the connection.
func TestUnclearResponses(t *testing.T) {
	rows := []struct {
		name   string
		answer func(net.Conn)
		took   time.Duration
	}{
		{"silence", func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }, 2 * time.Second},
		{"closes", func(net.Conn) {}, 0},
		{"closes in the middle", func(conn net.Conn) { _, _ = conn.Write([]byte{0, 0}) }, 0},
		{"another protocol", func(conn net.Conn) { _, _ = io.WriteString(conn, "220 mail ESMTP") }, 0},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				var serving sync.WaitGroup
				serving.Go(func() {
					for {
						conn, err := network.Accept()
						if err != nil {
							return
						}
						serving.Go(func() { serveWithoutHTTP2(conn, row.answer) })
					}
				})
				client, err := transport.New(transport.Options{Endpoints: []string{testEndpoint}, DialContext: network.DialContext})
				if err != nil {
					t.Fatal(err)
				}
				defer serving.Wait()
				defer func() { _ = network.Close() }()
				defer client.Close()
				started := time.Now()
				if _, err = client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(started); took != row.took {
					t.Errorf("took %s, want %s", took, row.took)
				}
			})
		})
	}
}

// serveWithoutHTTP2 handles a request of HTTP/1.1, and calls other for anything else.
func serveWithoutHTTP2(conn net.Conn, other func(net.Conn)) {
	defer func() { _ = conn.Close() }()
	reader := bufio.NewReader(conn)
	if start, err := reader.Peek(3); err != nil || string(start) == "PRI" {
		other(conn)
		return
	}
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, request.Body)
	response := &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(registerAnswer)), Body: io.NopCloser(strings.NewReader(registerAnswer)),
	}
	_ = response.Write(conn)
}

// TestProtocolChanges shows that the protocol follows a control plane that is restarted
// with or without HTTP/2.
func TestProtocolChanges(t *testing.T) {
	rows := []struct {
		name  string
		first bool // the first control plane has HTTP/2
	}{
		{"to HTTP/1.1", true},
		{"to HTTP/2", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				handler := &protocols{next: registering(reply(200, `{}`))}
				var change []option
				if !row.first {
					change = append(change, http1)
				}
				harness := newHarness(t, handler, change...)
				session := harness.register(t)

				harness.kill(t)
				if _, err := session.Ping(t.Context()); err == nil {
					t.Fatal("a ping without a control plane succeeded")
				}
				harness.replace(t, handler, !row.first)
				_, err := session.Ping(t.Context())
				want := map[bool]string{true: "HTTP/2.0 HTTP/1.1", false: "HTTP/1.1 HTTP/2.0"}[row.first]
				if err != nil || handler.String() != want {
					t.Errorf("%s, %v; want %s", handler, err, want)
				}
			})
		})
	}
}

// TestStreamProtocolChanges shows that the stream detects a change of the protocol without
// a failed attempt.
func TestStreamProtocolChanges(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(map[bool]string{true: "to HTTP/1.1", false: "to HTTP/2"}[first], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, streams := newStreamServer(inOrder(send(resume()), hold))
				handler := &protocols{next: streams}
				var change []option
				if !first {
					change = append(change, http1)
				}
				harness := newHarness(t, handler, change...)
				stream := run(t, harness.register(t), transport.StreamOptions{})
				stream.until(t, 1)
				harness.kill(t)
				harness.replace(t, handler, !first)
				want := "1 message first: resume\n1 lost\n2 message first: resume"
				if got := lines(stream.until(t, 3)); !strings.HasPrefix(strings.ReplaceAll(got, " internal", ""), want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				wantProtocols := map[bool]string{true: "HTTP/2.0 HTTP/2.0 HTTP/1.1", false: "HTTP/1.1 HTTP/1.1 HTTP/2.0"}[first]
				if handler.String() != wantProtocols {
					t.Errorf("%s, want %s", handler, wantProtocols)
				}
			})
		})
	}
}

// TestUncertainProtocol shows that a server that was too slow to respond is asked again
// when a stream is opened.
func TestUncertainProtocol(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, streams := newStreamServer(inOrder(send(resume()), hold))
		handler := &protocols{next: streams}
		harness := newHarness(t, handler)
		harness.network.Mute.Store(1)
		stream := run(t, harness.register(t), transport.StreamOptions{})
		stream.until(t, 1)
		if want := "HTTP/1.1 HTTP/2.0"; handler.String() != want {
			t.Errorf("%s, want %s", handler, want)
		}
	})
}

// TestProtocolWithTLS shows that https uses the protocol of ALPN, over real sockets.
func TestProtocolWithTLS(t *testing.T) {
	rows := []struct {
		name  string
		http2 bool
		want  string
	}{
		{"HTTP/2", true, "HTTP/2.0 HTTP/2.0"},
		{"HTTP/1.1", false, "HTTP/1.1 HTTP/1.1"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			handler := &protocols{next: registering(reply(200, `{}`))}
			server := httptest.NewUnstartedServer(handler)
			server.EnableHTTP2 = row.http2
			server.StartTLS()
			defer server.Close()
			trusting := server.Client().Transport.(*http.Transport).TLSClientConfig //nolint:forcetypeassert // httptest says so
			client, err := transport.New(transport.Options{Endpoints: []string{server.URL + "/v3"}, TLS: trusting})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := session.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			if handler.String() != row.want {
				t.Errorf("%s, want %s", handler, row.want)
			}
		})
	}
}

// TestUntrustedCertificate shows that a certificate that does not verify is not retried.
func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(reply(200, registerAnswer))
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	defer server.Close()
	client, err := transport.New(transport.Options{Endpoints: []string{server.URL + "/v3"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
	if err == nil || transport.Retryable(err) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestClosedTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		harness := newHarness(t, registering(reply(200, `{}`)))
		session := harness.register(t)
		harness.Close()
		synctest.Wait()
		if open := harness.network.Open.Load(); open != 0 {
			t.Errorf("%d connections are open", open)
		}
		if _, err := session.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), net.ErrClosed.Error()) {
			t.Errorf("got %v", err)
		}
	})
}

// kill stops the control plane and closes its connections.
func (h *harness) kill(t *testing.T) {
	t.Helper()
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// replace starts another control plane in place of a killed one.
func (h *harness) replace(t *testing.T, handler http.Handler, http2 bool) {
	t.Helper()
	next := &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	next.Protocols.SetHTTP1(true)
	next.Protocols.SetUnencryptedHTTP2(http2)
	h.network.Reopen()
	served := make(chan error, 1)
	go func() { served <- next.Serve(h.network) }()
	t.Cleanup(func() {
		h.Close()
		if err := next.Close(); err != nil {
			t.Errorf("closing the control plane: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
}
