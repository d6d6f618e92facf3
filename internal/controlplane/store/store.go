package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// signalTimeout bounds the sending of a signal, which is useless when late.
	signalTimeout = time.Second
	// embeddedReconnectWait is the time between two attempts to connect to the
	// embedded server while it is started again.
	embeddedReconnectWait = 100 * time.Millisecond
)

// MaxConflicts is how often a compare-and-set should be tried on a record that
// others keep changing.
const MaxConflicts = 20

const (
	// minPayload is the smallest bound of a message, in bytes, that a NATS server may
	// have. It is the default of NATS.
	minPayload = 1 << 20
	// MaxRecord bounds a stored record, in bytes: a message without its headers.
	MaxRecord = minPayload - 1<<10
)

// Store is the connection to the stored state, logs and meta-data. All methods
// may be called concurrently.
type Store struct {
	streams

	opts      Options
	embedded  *embedded // nil if the server is external
	nc        *nats.Conn
	js        jetstream.JetStream
	opened    time.Time             // when opening began
	copies    int                   // of the stream of jobs; 0 while it is not known
	denied    atomic.Pointer[error] // the first permission that the user of NATS lacks
	trying    atomic.Bool           // permissions are being tried
	writes    writes
	writing   writing
	emptyLogs emptyLogs
	group     group    // of the stream of the state
	outages   *outages // nil if the server is embedded
	restored  bool     // Restore has stored every record
	admission admission

	keyRevisions keyRevisions

	ending      context.Context //nolint:containedctx // of the store, not of a call
	beginEnding context.CancelFunc
	dead        context.Context //nolint:containedctx // ends when the store is given up
	giveUp      context.CancelFunc
	keeping     sync.WaitGroup // the goroutine of keep, or of keepAsking
	close       sync.Once

	mu            sync.Mutex
	reconnected   []func()
	connected     context.Context //nolint:containedctx // of the present connection; see connection
	endConnection context.CancelFunc
}

// Open starts the embedded server, or connects to the external one, and creates
// the streams that do not exist. It returns once the store can be used. It waits for an
// external server, or a cluster that elects, until ctx ends; it returns at once what
// waiting will not mend, such as a wrong password.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{opts: opts, opened: time.Now(), writes: newWrites(), writing: newWriting()}
	s.group.batch, s.group.hasRoom, s.group.timeout = s.publishBatch, s.roomForBatch, timeoutOf
	s.group.alone = func(ctx context.Context, msg *nats.Msg) (uint64, error) {
		ack, err := s.publish(ctx, msg)
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	}
	s.emptyLogs.sole = !opts.external()
	if opts.external() {
		s.outages = newOutages()
	}
	s.reconnect()
	s.ending, s.beginEnding = context.WithCancel(context.WithoutCancel(ctx))
	s.dead, s.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	s.group.dead = s.dead.Done()
	if err := s.open(ctx); err != nil {
		s.Close()
		return nil, err
	}
	if s.embedded != nil {
		s.keeping.Go(func() { s.keep(s.ending) })
	} else {
		s.keeping.Go(func() { s.keepAsking(s.ending) })
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if s.opts.external() {
		return s.openExternal(ctx)
	}
	var err error
	if s.embedded, err = startEmbedded(ctx, s.opts); err != nil {
		return err
	}
	if err := s.connect(); err != nil {
		return err
	}
	s.streams, err = s.openStreams(ctx)
	return err
}

// OnReconnect has f called each time that the connection was lost and is back:
// signals may have been missed meanwhile. f must not block.
func (s *Store) OnReconnect(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reconnected = append(s.reconnected, f)
}

// Close ends the connection, and stops the embedded server once everything stored
// is on disk. Calls in flight fail, but for batches. It may be called more than once.
func (s *Store) Close() {
	s.close.Do(func() {
		s.beginEnding()
		s.group.end() // the server must not be stopped with a part of a batch
		s.giveUp()
		s.keeping.Wait()
		if s.nc != nil {
			s.nc.Close()
		}
		if s.embedded != nil {
			s.embedded.stop()
		}
	})
}

// Signal sends a message, which is not stored, to every replica including this
// one. When it returns nil the server has the message, so a later signal of any
// replica arrives after it. A signal can be lost.
func (s *Store) Signal(data []byte) error {
	if err := s.nc.Publish(signalSubject, data); err != nil {
		return wrap(context.Background(), err, "sending a signal")
	}
	if err := s.nc.FlushTimeout(signalTimeout); err != nil {
		return wrap(context.Background(), err, "sending a signal")
	}
	return nil
}

// OnSignal has handle called with every signal, from one goroutine, until stop is
// called or the store is closed.
func (s *Store) OnSignal(handle func(data []byte)) (stop func(), err error) {
	sub, err := s.nc.Subscribe(signalSubject, func(msg *nats.Msg) { handle(msg.Data) })
	if err != nil {
		return nil, fmt.Errorf("subscribing to signals: %w", err)
	}
	return func() {
		_ = sub.Unsubscribe() // fails only if the connection is closed already
	}, nil
}
