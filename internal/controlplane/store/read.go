package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

const (
	// consumerInactive is how long the server keeps a consumer without a reader.
	consumerInactive = 30 * time.Second
	// deleteTimeout bounds the removal of a consumer. A reader that ends must not
	// wait for a server that is gone.
	deleteTimeout = 2 * time.Second
	// readRetry is the wait before a reader makes a new consumer.
	readRetry = time.Second
	// readQuiet is how long a reader waits for a message that is said to be left. It doubles
	// each time, up to maxQuiet times: the server may be slow.
	readQuiet = 5 * time.Second
	maxQuiet  = 5
)

// readAhead bounds what a reader requests in advance, in messages and bytes. The
// bytes must be more than the largest message, or the reader stalls.
type readAhead struct{ messages, bytes int }

// reading is what a reader reads.
type reading struct {
	stream string
	// subject is the one to read; empty is all. A stream is read faster without one.
	subject string
	// after is the sequence after which reading begins.
	after uint64
	// headersOnly leaves out the data of the messages.
	headersOnly bool
	ahead       readAhead
}

// streamReader reads the messages of a stream in order, each once. Whenever messages may
// be missing it makes a new consumer, which begins behind the last message. The
// ordered consumer of package jetstream does the same, but without a context and
// under a lock, so that it takes up to 20 s to end while the server is away.
type streamReader struct {
	reading

	s       *Store
	pending func(uint64)
	handle  func(jetstream.Msg, *jetstream.MsgMetadata) bool

	began bool   // there was a consumer
	last  uint64 // the sequence of the last message, at first of the one before the first
	quiet int    // how often no message came although some were left
}

var (
	errReconnected = errors.New("the connection was lost and is back")
	errGap         = errors.New("messages are missing")
	errQuiet       = errors.New("no message comes although some were left")
)

// read calls handle with the messages of a stream, in order, until handle returns
// false, the context ends or the store is closed. It calls pending with the number of
// messages that are left, at the start and after each.
func (s *Store) read(ctx context.Context, what reading, pending func(uint64),
	handle func(jetstream.Msg, *jetstream.MsgMetadata) bool,
) error {
	r := streamReader{s: s, reading: what, pending: pending, handle: handle, last: what.after}
	doing := "reading " + cmp.Or(what.subject, what.stream)
	for {
		done, err := r.readOn(ctx)
		switch {
		case done:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
		case !r.began || s.nc.IsClosed():
			return wrap(ctx, err, doing)
		}
		if !errors.Is(err, errReconnected) {
			s.opts.Logger.Debug("interrupted a reader; it goes on",
				zap.String("nats_stream", what.stream), zap.String("nats_subject", what.subject), zap.Error(err))
			pause(ctx, readRetry)
		}
	}
}

// readOn makes a consumer and reads from it until handle returns false, when it
// returns true, or until another consumer is needed.
func (r *streamReader) readOn(ctx context.Context) (done bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.s.connection(), func() { cancel(errReconnected) })()
	consumer, err := r.consumer(ctx)
	if err != nil {
		return false, err
	}
	defer r.s.deleteConsumer(r.stream, consumer.CachedInfo().Name)
	messages, err := consumer.Messages(
		jetstream.PullMaxMessagesWithBytesLimit(r.ahead.messages, r.ahead.bytes), jetstream.WithMessagesErrOnMissingHeartbeat(true),
	)
	if err != nil {
		return false, fmt.Errorf("requesting messages: %w", err)
	}
	defer messages.Stop()
	r.began = true
	left := consumer.CachedInfo().NumPending
	r.pending(left)
	for expected := uint64(1); ; expected++ {
		msg, err := r.next(ctx, messages, left)
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return false, err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return false, err //nolint:wrapcheck // read adds what was attempted
		}
		if meta.Sequence.Consumer != expected {
			return false, errGap
		}
		r.last = meta.Sequence.Stream
		if !r.handle(msg, meta) {
			return true, nil
		}
		left = meta.NumPending
		r.pending(left)
	}
}

// next returns the next message. While messages are said to be left and none comes, it
// returns errQuiet after a while: those that expire, or are purged, meanwhile are not sent,
// and a new consumer knows how many are left.
func (r *streamReader) next(ctx context.Context, messages jetstream.MessagesContext, left uint64) (jetstream.Msg, error) {
	if left == 0 {
		return messages.Next(jetstream.NextContext(ctx)) //nolint:wrapcheck // read adds what was attempted
	}
	waiting, cancel := context.WithTimeoutCause(ctx, readQuiet<<r.quiet, errQuiet)
	defer cancel()
	msg, err := messages.Next(jetstream.NextContext(waiting))
	if err != nil && errors.Is(context.Cause(waiting), errQuiet) {
		r.quiet = min(r.quiet+1, maxQuiet)
		return nil, errQuiet
	}
	return msg, err //nolint:wrapcheck // as above
}

// consumer makes a consumer that begins behind the last message.
func (r *streamReader) consumer(ctx context.Context) (consumer jetstream.Consumer, err error) {
	config := jetstream.ConsumerConfig{
		FilterSubject: r.subject, AckPolicy: jetstream.AckNonePolicy, InactiveThreshold: consumerInactive,
		MemoryStorage: true, Replicas: 1, HeadersOnly: r.headersOnly,
	}
	if r.last > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.last+1
	}
	err = r.s.noted(ctx, kind{stream: r.stream}, func() error {
		ctx, cancel := context.WithTimeout(ctx, timeoutOf(ctx))
		defer cancel()
		consumer, err = r.s.js.CreateConsumer(ctx, r.stream, config)
		return err //nolint:wrapcheck // read adds what was attempted
	})
	return consumer, err //nolint:wrapcheck // as above
}

// deleteConsumer removes a consumer from the server, which would otherwise keep it
// for consumerInactive, as it does while it is out of reach.
func (s *Store) deleteConsumer(stream, name string) {
	if !s.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deleteTimeout)
	defer cancel()
	err := s.js.DeleteConsumer(ctx, stream, name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) && !s.nc.IsClosed() {
		s.opts.Logger.Debug("failed to delete a consumer", zap.String("nats_stream", stream), zap.Error(err))
	}
}

// connection returns a context that ends when the present connection was lost and
// another one has taken its place: messages that were on their way are lost.
func (s *Store) connection() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
}

// reconnect ends the context of the last connection and begins that of a new one.
func (s *Store) reconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.endConnection != nil {
		s.endConnection()
	}
	s.connected, s.endConnection = context.WithCancel(context.Background())
}
