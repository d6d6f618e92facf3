package agentstatus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

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
	metrics *Metrics
	logger  *zap.Logger
	address string
	http    *http.Server
	served  chan struct{}
}

// Listen serves at HOST:PORT, where an empty HOST is the loopback address and port 0 any
// free one. An error names the address. The caller closes the server.
func (m *Metrics) Listen(ctx context.Context, address string, status func() agent.Status, logger *zap.Logger) (*Server, error) {
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
	if err := m.registry.Register(newState(status)); err != nil {
		return nil, errors.Join(fmt.Errorf("serving the status at %s: %w", address, err), listener.Close())
	}
	s := &Server{metrics: m, logger: logger, address: listener.Addr().String(), served: make(chan struct{})}
	if tcp, ok := listener.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		logger.Warn("status served without authentication on an address that other machines can reach; it names jobs and workers",
			zap.String("address", s.address))
	}
	s.http = &http.Server{
		Handler: s.routes(status), ErrorLog: zap.NewStdLog(logger), MaxHeaderBytes: maxHeaderBytes,
		ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: requestTimeout,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("status no longer served", zap.Error(err))
		}
	}()
	logger.Info("status served", zap.String("address", s.address))
	return s, nil
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

func (s *Server) routes(status func() agent.Status) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{
		ErrorLog: zap.NewStdLog(s.logger), ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: maxScrapes,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.MarshalIndent(status(), "", "  ")
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(text, '\n'))
	})
	// A page on another site must not read the status through the browser of somebody on
	// this machine, by a name that it makes resolve to loopback.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isOwn(r) {
			http.Error(w, "this name is not the host of the status; use its address", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
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
