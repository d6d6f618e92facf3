package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/transport"
)

const (
	testEndpoint      = "http://control.test/v3"
	registrationToken = "registration-secret"
	sessionToken      = "session-secret"
	jobToken          = "job-secret"
	workerID          = "w-1"
	registerAnswer    = `{"id":"w-1","name":"one","access_token":"session-secret","ping_interval":10,"heartbeat_interval":60,"job_status_interval":1}`
)

// memory is a network in memory, so that tests can run on virtual time. All
// addresses lead to the one listener.
type memory struct {
	incoming chan net.Conn
	mu       sync.Mutex
	closed   chan struct{} // the listener's
	servers  []net.Conn    // the other sides of all connections

	dials  atomic.Int64
	open   atomic.Int64 // connections of the client side
	refuse atomic.Bool  // no new connections
	dark   atomic.Bool  // every packet vanishes, both ways
	hang   atomic.Bool  // connecting takes for ever
	mute   atomic.Int64 // so many new connections are accepted by nobody
	expire atomic.Bool  // reads end with a deadline that nobody set
}

func newMemory() *memory {
	return &memory{incoming: make(chan net.Conn), closed: make(chan struct{})}
}

func (m *memory) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	m.dials.Add(1)
	if m.refuse.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if m.hang.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	if m.mute.Add(-1) >= 0 {
		m.open.Add(1)
		return &memoryConn{Conn: client, of: m}, nil
	}
	select {
	case m.incoming <- server:
		m.mu.Lock()
		defer m.mu.Unlock()
		m.servers = append(m.servers, server)
		m.open.Add(1)
		return &memoryConn{Conn: client, of: m}, nil
	case <-m.listening():
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case conn := <-m.incoming:
		return conn, nil
	case <-m.listening():
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.closed:
	default:
		close(m.closed)
	}
	return nil
}

// listening is closed when the listener is.
func (m *memory) listening() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// cut closes all connections.
func (m *memory) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, server := range m.servers {
		_ = server.Close()
	}
	m.servers = nil
}

// reopen lets another server listen.
func (m *memory) reopen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = make(chan struct{})
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// memoryConn is the client's side of a connection.
type memoryConn struct {
	net.Conn

	of   *memory
	once sync.Once
}

func (c *memoryConn) Write(b []byte) (int, error) {
	if c.of.dark.Load() {
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "memory", Err: syscall.EPIPE}
	}
	return n, err
}

func (c *memoryConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err == nil && c.of.dark.Load() {
			continue
		}
		if err != nil && c.of.expire.Load() {
			err = &net.OpError{Op: "read", Net: "memory", Err: os.ErrDeadlineExceeded}
		}
		return n, err
	}
}

func (c *memoryConn) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close()
}

// bed is a control plane made of a handler, and a transport that leads to it.
type bed struct {
	*transport.Transport

	network *memory
	server  *http.Server
	logs    *observer.ObservedLogs
}

type bedOption func(*transport.Options, *http.Server)

// http1 makes the control plane one that does not speak HTTP/2.
func http1(_ *transport.Options, server *http.Server) {
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
}

// withTLS makes the control plane one that is reached over TLS. It takes the
// certificate of httptest, outside of any bubble.
func withTLS(t *testing.T) bedOption {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	defer certified.Close()
	trusting, ok := certified.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("httptest has changed")
	}
	return func(options *transport.Options, server *http.Server) {
		options.Endpoint = "https://example.com/v3"
		options.TLS = &tls.Config{RootCAs: trusting.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
		server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
		server.Protocols.SetHTTP2(true)
	}
}

func withEndpoint(endpoint string) bedOption {
	return func(options *transport.Options, _ *http.Server) { options.Endpoint = endpoint }
}

func withHeaders(headers http.Header) bedOption {
	return func(options *transport.Options, _ *http.Server) { options.Headers = headers }
}

func newBed(tb testing.TB, handler http.Handler, change ...bedOption) *bed {
	tb.Helper()
	network := newMemory()
	core, logs := observer.New(zapcore.DebugLevel)
	options := transport.Options{
		Endpoint: testEndpoint, UserAgent: "agent/1", Logger: zap.New(core), DialContext: network.DialContext,
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Handler: handler, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	for _, apply := range change {
		apply(&options, server)
	}
	client, err := transport.New(options)
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			served <- server.ServeTLS(network, "", "")
			return
		}
		served <- server.Serve(network)
	}()
	tb.Cleanup(func() {
		client.Close()
		if err := server.Close(); err != nil {
			tb.Errorf("closing the control plane: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			tb.Errorf("serving: %v", err)
		}
	})
	return &bed{Transport: client, network: network, server: server, logs: logs}
}

// register is the session of a worker at a control plane that routes register
// like any other.
func (b *bed) register(tb testing.TB) *transport.Session {
	tb.Helper()
	session, _, err := b.Register(tb.Context(), registrationToken, transport.RegisterRequest{Name: "one"})
	if err != nil {
		tb.Fatal(err)
	}
	return session
}

// registering answers register and leaves the rest to another handler.
func registering(rest http.Handler) http.Handler { return registeringWith(registerAnswer, rest) }

func registeringWith(answer string, rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v3/register", reply(http.StatusOK, answer))
	mux.Handle("/", rest)
	return mux
}

// reply answers with a status and a body.
func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// script answers each request with the next handler, and goes on with the last.
type script struct {
	steps []http.HandlerFunc
	calls atomic.Int64
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := int(s.calls.Add(1)) - 1
	s.steps[min(step, len(s.steps)-1)](w, r)
}

// quiet is for servers whose complaints are what a test provokes.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// silent never answers.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
