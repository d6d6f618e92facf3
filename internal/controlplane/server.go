package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// shutdownTimeout bounds Shutdown where its context does not.
const shutdownTimeout = 15 * time.Second

// Server is a control plane that runs. Its methods may be called concurrently.
type Server struct {
	logger       *zap.Logger
	registration secret
	admin        secret
	url          string
	tls          bool

	dir        *dataDir
	store      *store.Store
	dispatcher *dispatch.Dispatcher
	listener   net.Listener
	http       *http.Server
	// closing ends the streams, and says that the server takes no more requests.
	closing      context.Context //nolint:containedctx // it is the server's life, not a call's
	beginClosing context.CancelFunc

	served   chan error // what Serve returned; one value
	shutdown sync.Once
	done     chan struct{}
	err      error // set before done is closed
}

// Start opens the data directory and the store, listens, and answers once
// requests are served. ctx bounds the start alone; the server runs until Shutdown.
//
// It fails, in one line that says what to do, where the configuration is out of
// bounds, the data directory cannot be made or written or is in use
// (ErrDataDirInUse), the store does not open, or the port is taken.
func Start(ctx context.Context, config Config) (*Server, error) {
	config = config.WithDefaults()
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	s := &Server{logger: config.Logger, served: make(chan error, 1), done: make(chan struct{})}
	s.closing, s.beginClosing = context.WithCancel(context.Background())
	if err := s.open(ctx, config); err != nil {
		s.beginClosing()
		return nil, fmt.Errorf("control plane: %w", errors.Join(err, s.release()))
	}
	go s.serve() //nolint:gosec // ctx bounds the start, not the server
	s.logger.Info("control plane is ready", zap.String("url", s.url), zap.Bool("stream", !config.NoStream))
	return s, nil
}

// open takes each thing that the server needs, the cheap and likely to fail
// first. What was taken when it fails is for release to give back.
func (s *Server) open(ctx context.Context, config Config) error {
	tlsConfig, err := loadTLS(config)
	if err != nil {
		return err
	}
	// Before the data directory, which would be made for nothing.
	if s.listener, err = listen(ctx, config.Listen); err != nil {
		return err
	}
	if err := s.claimData(config); err != nil {
		return err
	}
	s.tls = tlsConfig != nil
	warnIfExposed(s.logger, s.listener, s.tls)
	s.url = listenURL(s.listener, config.Listen, s.tls)
	s.store, err = store.Open(ctx, store.Options{
		DataDir: config.DataDir, URL: config.NATSURL, Logger: s.logger.Named("store"),
	})
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	s.dispatcher, err = dispatch.New(ctx, s.store, dispatch.Options{
		Terms:  schedule.Terms{LeaseTimeout: config.LeaseTimeout, AssignTimeout: config.AssignTimeout},
		Logger: s.logger.Named("dispatch"),
	})
	if err != nil {
		return fmt.Errorf("reading the store: %w", err)
	}
	handler := s.routes(config)
	if config.Wrap != nil {
		handler = config.Wrap(handler)
	}
	s.http = newHTTPServer(handler, s.logger)
	s.http.TLSConfig = tlsConfig
	s.http.RegisterOnShutdown(s.beginClosing)
	return nil
}

// claimData takes the data directory, and the tokens from it.
func (s *Server) claimData(config Config) error {
	var err error
	if s.dir, err = openDataDir(config.DataDir); err != nil {
		return err
	}
	if s.registration, err = loadSecret(s.dir.path, datadir.RegistrationTokenFile, config.RegistrationToken); err != nil {
		return err
	}
	if s.admin, err = loadSecret(s.dir.path, datadir.AdminTokenFile, config.AdminToken); err != nil {
		return err
	}
	if s.admin.hash == s.registration.hash {
		return errors.New("the registration token and the admin token are the same: every agent would have the admin's rights")
	}
	return nil
}

// serve answers requests until the listener is closed, and ends the server if
// that was not asked for.
func (s *Server) serve() {
	var err error
	if s.tls {
		err = s.http.ServeTLS(s.listener, "", "")
	} else {
		err = s.http.Serve(s.listener)
	}
	s.served <- err
	if !errors.Is(err, http.ErrServerClosed) {
		s.logger.Error("the listener failed", zap.Error(err))
		ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		_ = s.Shutdown(ctx) // Err says it
	}
}

// URL is the server's address, without a path, for clients on this machine. The
// agents' endpoint is this with /v3.
func (s *Server) URL() string { return s.url }

// RegistrationToken is the token that lets an agent register, empty where the
// server was given only its hash.
func (s *Server) RegistrationToken() string { return s.registration.clear }

// AdminToken is the token for switchyard.v1, empty where the server was given
// only its hash.
func (s *Server) AdminToken() string { return s.admin.clear }

// Done is closed when the server has ended and given up its data directory.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err is why the server ended: nil before that, and after a Shutdown that went well.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Shutdown stops listening, ends the streams (agents' as planned, so that they
// connect to a successor at once), lets the calls in flight finish while ctx
// lasts, and closes the store. It answers when all of it is done, with what went
// wrong. It may be called more than once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.shutdown.Do(func() { s.end(ctx) })
	<-s.done
	return s.err
}

func (s *Server) end(ctx context.Context) {
	defer close(s.done)
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		s.logger.Warn("calls were cut off by the shutdown", zap.Error(err))
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
	s.logger.Info("control plane has ended", zap.Error(s.err))
}

// release gives back what open took, the last first.
func (s *Server) release() error {
	var errs []error
	if s.dispatcher != nil {
		s.dispatcher.Close()
	}
	if s.store != nil {
		s.store.Close()
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
