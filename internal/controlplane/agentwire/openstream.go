package agentwire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// ageJitter is the part of StreamMaxAge, at its end, in which a stream ends at a random
// moment, so that streams opened together do not end together.
const ageJitter = 0.2

// errOfAge ends a stream at its maximum age.
var errOfAge = errors.New("the stream has reached its maximum age")

// openStream is a stream that is open. There are thousands of them, each waiting nearly
// all of the time: what it holds while it waits, its stack included, is kept small. So it
// has one timer, and no context or logger of its own.
type openStream struct {
	feed      *dispatch.Feed
	stream    *connect.ServerStream[agentedgev1.StreamPingsResponse]
	closing   <-chan struct{}
	keepAlive time.Duration
	opened    time.Time
	ends      time.Time   // when it reaches its maximum age
	timer     *time.Timer // the next keep-alive, or the end
}

// openStream attaches a worker's stream.
func (h *Handler) openStream(
	ctx context.Context, workerID string, stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) (*openStream, error) {
	feed, err := h.dispatcher.Attach(ctx, workerID)
	if err != nil {
		return nil, h.streamError(ctx, workerID, err)
	}
	// With the interval an agent detects a proxy that responds to HTTP/2 PINGs but
	// forwards no message.
	stream.ResponseHeader().Set(wire.HeaderKeepAlive, h.keepAlive)
	now := time.Now()
	s := &openStream{
		feed: feed, stream: stream, closing: h.options.Closing, keepAlive: h.options.KeepAlive,
		opened: now, ends: now.Add(streamAge(h.options.StreamMaxAge)), timer: time.NewTimer(h.options.KeepAlive),
	}
	h.options.Logger.Info("stream opened", s.names()...)
	return s, nil
}

// closeStream counts and logs the end of a stream, and returns the error that it ends with.
func (h *Handler) closeStream(ctx context.Context, s *openStream, cause error) error {
	id, _, _ := s.feed.Worker()
	err := cause
	if !errors.Is(cause, errSending) {
		err = h.streamError(ctx, id, cause)
	}
	h.options.StreamEnded(streamEnd(ctx, cause, err), time.Since(s.opened))
	h.options.Logger.Info("stream closed", append(s.names(), zap.Error(err))...)
	return err
}

// names returns the fields that name the stream's worker.
func (s *openStream) names() []zap.Field {
	id, name, queue := s.feed.Worker()
	return []zap.Field{zap.String("worker_id", id), zap.String("worker_name", name), zap.String("queue", queue)}
}

// errSending is an error of the connection.
var errSending = errors.New("sending an instruction")

// send sends the feed's instructions and keep-alives, and returns why the stream ends.
func (s *openStream) send(ctx context.Context) error {
	for {
		err := s.sendWaiting()
		if err != nil {
			return err
		}
		select {
		case <-s.feed.Ready():
		case <-s.timer.C:
			err = s.sendStanding()
		case <-s.closing:
			err = dispatch.ErrClosed
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// sendWaiting sends the instructions that wait.
func (s *openStream) sendWaiting() error {
	for {
		next, ok, err := s.feed.Take()
		if err != nil || !ok {
			return err //nolint:wrapcheck // streamError turns it into a code and a message
		}
		if err := s.sendOne(next); err != nil {
			return err
		}
	}
}

// sendStanding sends a keep-alive, or returns errOfAge at the end of the stream.
func (s *openStream) sendStanding() error {
	if !time.Now().Before(s.ends) {
		return errOfAge
	}
	return s.sendOne(s.feed.Standing())
}

func (s *openStream) sendOne(in wire.Instruction) error {
	if err := s.stream.Send(streamResponse(in)); err != nil {
		return fmt.Errorf("%w: %w", errSending, err)
	}
	s.timer.Reset(min(s.keepAlive, time.Until(s.ends)))
	return nil
}

// streamAge returns a uniformly random age in the last part of the maximum age.
func streamAge(maximum time.Duration) time.Duration {
	return maximum - time.Duration(rand.Float64()*ageJitter*float64(maximum)) //nolint:gosec // spreads load, protects nothing
}
