package controlplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
)

// shutdownTimeout bounds Shutdown if its context has no earlier deadline.
const shutdownTimeout = 15 * time.Second

// Server is a running control plane. Its methods may be called concurrently.
type Server struct {
	logger      *zap.Logger
	tokens      tokens
	url         string
	tls         bool
	certificate *config.Watched[*tls.Certificate] // nil without TLS

	dir      *dataDir
	parts    *Parts // nil until the store is open
	listener net.Listener
	http     *http.Server
	// closing is canceled when the server begins to shut down; it ends the streams.
	closing      context.Context //nolint:containedctx // the life of the server, not of a call
	beginClosing context.CancelFunc
	gate         gate
	started      chan struct{} // closed when Start succeeds
	failed       chan struct{} // closed when it does not

	served   chan error // the error that Serve returned; one value
	shutdown sync.Once
	done     chan struct{}
	err      error // set before done is closed
}

// Start listens, opens the data directory and the store, and returns when requests
// are served. Until then the port responds with 503. It waits for a NATS cluster that is
// out of reach, or elects, until ctx ends. ctx bounds the start only; the server runs
// until Shutdown.
//
// It returns an error of one line if the configuration is invalid, if the data
// directory cannot be used or is in use (ErrDataDirInUse), if the store cannot be
// opened, or if the port is taken. Everything that it opened is closed by then.
func Start(ctx context.Context, c Config) (*Server, error) {
	c = c.WithDefaults()
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	s := &Server{
		logger: c.Logger, started: make(chan struct{}), failed: make(chan struct{}),
		served: make(chan error, 1), done: make(chan struct{}),
	}
	s.closing, s.beginClosing = context.WithCancel(context.Background())
	if err := s.open(ctx, c); err != nil {
		s.beginClosing()
		close(s.failed)
		if s.http != nil {
			_ = s.http.Close() // the requests are refused ones
			<-s.served         //nolint:errcheck // http.ErrServerClosed
		}
		return nil, fmt.Errorf("control plane: %w", errors.Join(err, s.release()))
	}
	close(s.started)
	s.logger.Info("control plane started", zap.String("endpoint", s.url), zap.Bool("serves_streams", !c.NoStream),
		zap.Int("max_connections", maxConnections()))
	return s, nil
}

// open opens everything that the server needs, beginning with what is most likely
// to fail. If it returns an error, release closes what was opened.
func (s *Server) open(ctx context.Context, c Config) error {
	tlsConfig, err := s.loadTLS(c)
	if err != nil {
		return err
	}
	// Before the data directory, which need not be created if the port is taken.
	if s.listener, err = listen(ctx, c.Listen); err != nil {
		return err
	}
	if err := s.openDataDir(c); err != nil {
		return err
	}
	s.tls = tlsConfig != nil
	warnIfExposed(s.logger, s.listener, s.tls)
	s.url = listenURL(s.listener, c.Listen, s.tls)
	s.http = newHTTPServer(&s.gate, maxConnections(), s.logger)
	s.http.TLSConfig = tlsConfig
	s.http.RegisterOnShutdown(s.beginClosing)
	go s.serve() //nolint:gosec // ctx bounds the start, not the server
	if s.parts, err = OpenParts(ctx, PartsOptions{
		Config: c, Store: storeOptions(c), Tokens: access.Bootstrap{Registration: &s.tokens.registration, Admin: &s.tokens.admin},
		Terms: schedule.Terms{LeaseTimeout: c.LeaseTimeout, AssignTimeout: c.AssignTimeout},
	}); err != nil {
		return err
	}
	handler := s.parts.Handler(s.closing)
	if c.Wrap != nil {
		handler = c.Wrap(handler)
	}
	s.gate.open(handler)
	return nil
}

// openDataDir locks the data directory and loads the tokens.
func (s *Server) openDataDir(c Config) error {
	var err error
	if s.dir, err = lockDataDir(c.DataDir, s.logger); err != nil {
		return err
	}
	_, err = s.tokens.load(s.dir.path, c)
	return err
}

// serve serves requests until the listener is closed. If the listener fails it
// shuts the server down, once it has started.
func (s *Server) serve() {
	var err error
	if s.tls {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	s.served <- err
	select {
	case <-s.started:
	case <-s.failed:
		return
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.logger.Error("listener failed, shutting down", zap.Error(err))
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		_ = s.Shutdown(ctx) // Err returns the error
	}
}

// URL returns the server's URL, without a path, for clients on this machine. The
// endpoint of agents is this URL with wire.Prefix.
func (s *Server) URL() string { return s.url }

// RegistrationToken returns the token that lets agents register; it is empty if
// only its hash was configured.
func (s *Server) RegistrationToken() string { return s.tokens.clear().registration }

// AdminToken returns the token for switchyard.v1; it is empty if only its hash was
// configured.
func (s *Server) AdminToken() string { return s.tokens.clear().admin }

// Done returns a channel that is closed when the server has ended and unlocked its
// data directory.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err returns the error with which the server ended. It is nil before the end and
// after a Shutdown without errors.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Alive returns nil if the server works: its dispatcher goes on, whether or not the store
// responds. It does not return if that is deadlocked. A server that shuts down is alive.
func (s *Server) Alive(context.Context) error {
	select {
	case <-s.closing.Done():
		return nil
	default:
		return s.parts.Dispatcher.Alive() //nolint:wrapcheck // it names what hangs
	}
}

// Shutdown stops listening, ends the streams with the code of a planned end (so
// that agents reconnect at once), waits for running requests until ctx ends, but
// at most 15 s, and closes the store. It does not wait for a store that does not
// respond. Then it returns everything that failed. It may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.shutdown.Do(func() { s.end(ctx) })
	<-s.done
	return s.err
}

// end runs once; it is the body of Shutdown.
func (s *Server) end(ctx context.Context) {
	defer close(s.done)
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	s.parts.Store.Ending()
	if err := s.http.Shutdown(ctx); err != nil {
		s.logger.Warn("requests aborted by the shutdown", zap.Error(err))
		s.err = errors.Join(s.err, s.http.Close())
	}
	select {
	case err := <-s.served:
		if !errors.Is(err, http.ErrServerClosed) {
			s.err = errors.Join(s.err, fmt.Errorf("serving %s: %w", s.url, err))
		}
	case <-ctx.Done():
	}
	s.err = errors.Join(s.err, s.release())
	s.logger.Info("control plane ended", zap.Error(s.err))
}

// release closes what open opened, in reverse order.
func (s *Server) release() error {
	var errs []error
	if s.parts != nil {
		s.parts.Close()
	}
	if s.listener != nil {
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.dir != nil {
		errs = append(errs, s.dir.close())
	}
	return errors.Join(errs...)
}
