package agentstatus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
)

const (
	// requestTimeout bounds a request, and shutdownTimeout the end of those in progress.
	requestTimeout  = 10 * time.Second
	shutdownTimeout = time.Second
	// maxHeaderBytes bounds the header of a request.
	maxHeaderBytes = 8 << 10
	// maxScrapes bounds the scrapes at the same time; others get 503.
	maxScrapes = 4
)

// Server serves the status of one agent. Its methods may be called concurrently.
type Server struct {
	logger  *zap.Logger
	address string // HOST:PORT; empty on a socket
	http    *http.Server
	served  chan struct{}
}

// Page is what the port of the status shows of an agent.
type Page struct {
	// Status returns what the agent does now.
	Status func() agent.Status
	// Picture writes the machine of a worker as SVG, with a state highlighted.
	Picture func(w io.Writer, state fsm.State) error
}

// Listen serves at HOST:PORT, where an empty HOST is the loopback address and port 0 any
// free one. An error names the address. The caller closes the server.
func (m *Metrics) Listen(ctx context.Context, address string, page Page, logger *zap.Logger) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("status address %q is not HOST:PORT", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("serving the status at %s: %w", address, err)
	}
	if err := m.registry.Register(newState(page.Status)); err != nil {
		return nil, errors.Join(fmt.Errorf("serving the status at %s: %w", address, err), listener.Close())
	}
	s := &Server{logger: logger, address: listener.Addr().String(), served: make(chan struct{})}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		logger.Warn("status served without authentication on an address that other machines can reach; it names jobs and workers",
			zap.String("address", s.address))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: zap.NewStdLog(s.logger), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	}))
	page.routes(mux)
	s.serve(ctx, listener, s.ownOnly(mux))
	logger.Info("status served", zap.String("address", s.address))
	return s, nil
}

// ListenSocket serves the status, without metrics and pages, and calls of flush, which
// writes the history of the workers to its files, on a Unix socket, in place of
// one that an earlier agent has left. Nobody else uses the path. An error names it. The
// caller closes the server.
func ListenSocket(ctx context.Context, path string, status func() agent.Status, flush func(), logger *zap.Logger) (*Server, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("serving the status: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("serving the status at %s: %w", path, err)
	}
	s := &Server{logger: logger, served: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", statusHandler(status))
	mux.HandleFunc("POST /flush", func(w http.ResponseWriter, _ *http.Request) {
		flush()
		_, _ = w.Write([]byte("{}\n"))
	})
	s.serve(ctx, listener, mux)
	return s, nil
}

// serve serves a handler until the server is closed.
func (s *Server) serve(ctx context.Context, listener net.Listener, handler http.Handler) {
	s.http = &http.Server{
		Handler: handler, ErrorLog: zap.NewStdLog(s.logger), MaxHeaderBytes: maxHeaderBytes,
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: requestTimeout,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("status no longer served", zap.Error(err))
		}
	}()
}

// Address returns the address that is served, HOST:PORT.
func (s *Server) Address() string { return s.address }

// Close stops serving. Requests in progress have a second to end.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // they are cut
	}
	<-s.served
}

// statusHandler returns the status as JSON.
func statusHandler(status func() agent.Status) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.MarshalIndent(status(), "", "  ")
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(text, '\n'))
	}
}

// ownOnly returns a handler that refuses requests by a foreign name: a page on another
// site must not read the status through the browser of somebody on this machine, by a name
// that it makes resolve to loopback.
func (s *Server) ownOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isOwn(r) {
			http.Error(w, "this name is not the host of the status; use its address", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwn reports whether a request names the host by its address, or as localhost. On an
// address that other machines can reach, every name is.
func (s *Server) isOwn(r *http.Request) bool {
	listening, _, err := net.SplitHostPort(s.address)
	if err != nil || !net.ParseIP(listening).IsLoopback() {
		return true
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return net.ParseIP(strings.Trim(host, "[]")) != nil || host == "localhost"
}
