package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// callTimeout bounds one request to the store. It is well above a slow disk's
// sync and a cluster's change of leader, and below the 60 s that a caller on the
// wire waits.
const callTimeout = 15 * time.Second

// Store is the connection to the state, logs and meta-data. All methods may be called
// concurrently.
type Store struct {
	opts     Options
	embedded *embedded // nil: the server is external
	nc       *nats.Conn
	js       jetstream.JetStream
	state    jetstream.Stream
	logs     jetstream.Stream
	data     jetstream.Stream

	close sync.Once

	mu          sync.Mutex
	interrupted []func()
}

// Open starts the embedded server, or connects to the external one, and makes
// the streams that are not there. It answers once the store can be used.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: opts}
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	var dial nats.Option
	if s.opts.URL == "" {
		var err error
		if s.embedded, err = startEmbedded(ctx, s.opts.DataDir, s.opts.Logger); err != nil {
			return err
		}
		dial = nats.InProcessServer(s.embedded.server)
	}
	if err := s.connect(dial); err != nil {
		return err
	}
	return s.openStreams(ctx)
}

// connect makes the connection; from here on nothing tells the embedded store
// from the external one.
func (s *Store) connect(dial nats.Option) error {
	opts := []nats.Option{
		nats.Name("switchyard"),
		nats.MaxReconnects(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				s.opts.Logger.Warn("connection to the store lost", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			s.opts.Logger.Info("connection to the store is back")
			s.reportInterruption()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			s.opts.Logger.Warn("store", zap.Error(err))
		}),
	}
	if dial != nil {
		opts = append(opts, dial)
	}
	nc, err := nats.Connect(s.opts.URL, opts...)
	if err != nil {
		return fmt.Errorf("connecting to the store at %s: %w", s.where(), err)
	}
	s.nc = nc
	if s.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(callTimeout)); err != nil {
		return fmt.Errorf("using the store at %s: %w", s.where(), err)
	}
	return nil
}

// where names the store for people.
func (s *Store) where() string {
	if s.opts.URL == "" {
		return s.opts.DataDir
	}
	return s.opts.URL
}

// OnInterruption has f called after every time that the connection was lost and
// is back: signals may have been missed meanwhile. f must not block.
func (s *Store) OnInterruption(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupted = append(s.interrupted, f)
}

func (s *Store) reportInterruption() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.interrupted {
		f()
	}
}

// Close ends the connection, and the embedded server with it, once what was
// stored is on disk. Calls in flight fail. It may be called more than once.
func (s *Store) Close() {
	s.close.Do(func() {
		if s.nc != nil {
			s.nc.Close()
		}
		if s.embedded != nil {
			s.embedded.stop()
		}
	})
}

// failed names what was being done, and makes the error one of the store's own.
func failed(err error, doing string) error {
	var apiErr *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	case errors.As(err, &apiErr) && (apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return fmt.Errorf("%s: %w", doing, ErrConflict)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return fmt.Errorf("%s: %w", doing, ErrTooLarge)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}
