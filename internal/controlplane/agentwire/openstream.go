package agentwire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// ageJitter is the part of StreamMaxAge, at its end, in which a stream ends at a random
// moment, so that streams opened together do not end together.
const ageJitter = 0.2

// Why a stream ends, other than for its feed.
var (
	errOfAge   = errors.New("the stream has reached its maximum age")
	errGone    = errors.New("the worker has closed the stream, or its connection was lost")
	errSending = errors.New("sending an instruction")
)

// openStream is a stream that is open. There are thousands of them, each idle nearly all
// of the time, so it has no goroutine: its instructions are delivered by one that the feed
// starts when there are any, and that ends when there are no more.
type openStream struct {
	handler  *Handler
	feed     *dispatch.Feed
	conn     streamConn
	response *detach.Response
	phase    time.Duration // of the keep-alives of its connection
	opened   time.Time
	ends     time.Time   // when it reaches its maximum age
	timer    *time.Timer // the next keep-alive, or the end
	wake     func()      // delivers; the feed calls it in a goroutine of its own
}

// streamConn is what connect's streams of a server implement. With its Close a stream ends
// whose handler has returned already.
type streamConn interface {
	connect.StreamingHandlerConn
	Close(err error) error
}

// openStream attaches a worker's stream, which goes on when the handlers have returned.
func (h *Handler) openStream(
	ctx context.Context, caller streamCaller, stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	conn, ok := stream.Conn().(streamConn)
	if !ok {
		return codedError(connect.CodeInternal, "this version of connect cannot end a stream")
	}
	feed, err := h.dispatcher.Attach(ctx, caller.workerID)
	if err != nil {
		return h.streamError(ctx, caller.workerID, err)
	}
	// With the interval an agent detects a proxy that responds to HTTP/2 PINGs but
	// forwards no message.
	conn.ResponseHeader().Set(wire.HeaderKeepAlive, h.keepAlive)
	now := time.Now()
	s := &openStream{
		handler: h, feed: feed, conn: conn, response: caller.response, phase: caller.phase,
		opened: now, ends: now.Add(streamAge(h.options.StreamMaxAge)),
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(s.ends) { // the client asked for it
		s.ends = deadline
	}
	s.wake = func() { s.response.Do(s.deliver) }
	s.timer = time.AfterFunc(s.untilNext(), s.due)
	s.response.AtEnd(func() {
		s.timer.Stop()
		feed.Close()
	})
	h.options.Logger.Info("stream opened", s.names()...)
	s.response.Continue(func() { feed.Notify(s.wake) }, func() { feed.End(errGone) })
	return nil
}

// due queues a keep-alive, or ends the stream at its maximum age.
func (s *openStream) due() {
	if time.Now().Before(s.ends) {
		s.feed.Repeat()
	} else {
		s.feed.End(errOfAge)
	}
}

// untilNext returns the time until the next keep-alive, at most KeepAlive, or the end. The
// streams of a connection have their keep-alives at the same moments: one write has all of
// them, and they wake the agent once.
func (s *openStream) untilNext() time.Duration {
	interval := s.handler.options.KeepAlive
	past := (time.Since(s.handler.started) + s.phase) % interval
	return min(interval-past, time.Until(s.ends))
}

// phaseOf returns the phase of the keep-alives of a connection, from 0 to less than
// KeepAlive.
func (h *Handler) phaseOf(remoteAddress string) time.Duration {
	return time.Duration(maphash.String(h.seed, remoteAddress) % uint64(h.options.KeepAlive)) //nolint:gosec // both are positive
}

// deliver sends the instructions that wait, and ends the stream if its feed has ended or
// its connection does.
func (s *openStream) deliver() {
	for {
		next, ok, err := s.feed.Take()
		if ok {
			err = s.send(next)
		}
		switch {
		case err != nil:
			s.end(err)
			return
		case !ok:
			s.feed.Notify(s.wake)
			return
		}
	}
}

func (s *openStream) send(in wire.Instruction) error {
	if err := s.conn.Send(streamResponse(in)); err != nil {
		return fmt.Errorf("%w: %w", errSending, err)
	}
	s.timer.Reset(s.untilNext())
	return nil
}

// end ends the stream, and counts and logs that.
func (s *openStream) end(cause error) {
	s.feed.Close() // first: the worker may be slow to read the end
	if s.response.Left() {
		cause = errGone
	}
	id, _, _ := s.feed.Worker()
	err := cause
	if !errors.Is(cause, errSending) {
		err = s.handler.streamError(context.Background(), id, cause)
	}
	_ = s.conn.Close(err) // the worker may have gone
	s.handler.options.StreamEnded(streamEnd(cause, err), time.Since(s.opened))
	s.handler.options.Logger.Info("stream closed", append(s.names(), zap.Error(cause))...)
	s.response.End()
}

// names returns the fields that name the stream's worker.
func (s *openStream) names() []zap.Field {
	id, name, queue := s.feed.Worker()
	return []zap.Field{zap.String("worker_id", id), zap.String("worker_name", name), zap.String("queue", queue)}
}

// streamAge returns a uniformly random age in the last part of the maximum age.
func streamAge(maximum time.Duration) time.Duration {
	return maximum - time.Duration(rand.Float64()*ageJitter*float64(maximum)) //nolint:gosec // spreads load, protects nothing
}
