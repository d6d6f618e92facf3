package transport_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
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

// harness is a control plane with a handler, and a transport connected to it.
type harness struct {
	*transport.Transport

	network *memnet.Network
	server  *http.Server
	logs    *observer.ObservedLogs
}

type option func(*transport.Options, *http.Server)

// http1 makes a control plane without HTTP/2.
func http1(_ *transport.Options, server *http.Server) {
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
}

// withTLS makes a control plane with TLS and the certificate of httptest. It must be
// called outside of a synctest bubble.
func withTLS(t *testing.T) option {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	defer certified.Close()
	trusting, ok := certified.Client().Transport.(*http.Transport)
	if !ok {
		t.Fatal("httptest has changed")
	}
	return func(options *transport.Options, server *http.Server) {
		options.Endpoints = []string{"https://example.com/v3"}
		options.TLS = &tls.Config{RootCAs: trusting.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
		server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
		server.Protocols.SetHTTP2(true)
	}
}

func withEndpoint(endpoint string) option {
	return func(options *transport.Options, _ *http.Server) { options.Endpoints = []string{endpoint} }
}

func withHeaders(headers http.Header) option {
	return func(options *transport.Options, _ *http.Server) { options.Headers = headers }
}

func newHarness(tb testing.TB, handler http.Handler, change ...option) *harness {
	tb.Helper()
	network := memnet.New()
	core, logs := observer.New(zapcore.DebugLevel)
	options := transport.Options{
		Endpoints: []string{testEndpoint}, UserAgent: "agent/1", Logger: zap.New(core), DialContext: network.DialContext,
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
	return &harness{Transport: client, network: network, server: server, logs: logs}
}

// register registers a worker and returns its session.
func (h *harness) register(tb testing.TB) *transport.Session {
	tb.Helper()
	session, err := h.Register(tb.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
	if err != nil {
		tb.Fatal(err)
	}
	return session
}

// registering returns a handler for register that passes other requests on.
func registering(rest http.Handler) http.Handler { return registeringWith(registerAnswer, rest) }

func registeringWith(answer string, rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /v3/register", reply(http.StatusOK, answer))
	mux.Handle("/", rest)
	return mux
}

// reply returns a handler that responds with a status and a body.
func reply(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// script handles each request by the next handler; the last one handles the rest.
type script struct {
	steps []http.HandlerFunc
	calls atomic.Int64
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	step := int(s.calls.Add(1)) - 1
	s.steps[min(step, len(s.steps)-1)](w, r)
}

// quiet returns a logger for servers that log what a test provokes.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// silent never responds.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}
