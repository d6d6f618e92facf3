package transport

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport/pace"
)

// StreamOptions configure [Session.RunStream].
type StreamOptions struct {
	// StreamOnly means that nobody pings: reconnects then follow the ping interval,
	// where they would otherwise be at least ten seconds apart.
	StreamOnly bool
	// SilenceLimit is how long a stream may be without a message before it should
	// not be trusted; see [StreamEvent].Trust. Zero uses two and a half times the
	// interval that the control plane announces ([wire.HeaderKeepAlive]), at most ten
	// minutes, or 150 seconds without one.
	//
	// A stream that stays silent for a fifth more is lost, and opened again. Only
	// where there is neither a limit nor an announced interval, a stream over HTTP/2
	// stays open: a PING checks its connection.
	SilenceLimit time.Duration
	// Protocol is the protocol of the stream.
	Protocol StreamProtocol
}

// StreamEventKind is what happened on the stream.
type StreamEventKind int

// The kinds of event.
const (
	// StreamMessage is a message with its instruction.
	StreamMessage StreamEventKind = iota + 1
	// StreamEnded is the planned end of a connection that has received a message: a
	// clean end, deadline exceeded, or [Session.RefreshStream]. The next attempt
	// follows within a second.
	StreamEnded
	// StreamLost is any other end, or a failed attempt.
	StreamLost
	// StreamRefused is a response that means that the stream will not work
	// (unauthenticated, permission denied, unimplemented). If a worker of this
	// process has ever had a working stream, the first two refusals in a row are
	// StreamLost.
	StreamRefused
)

// String returns the kind in words.
func (k StreamEventKind) String() string {
	return [...]string{"unknown", "message", "ended", "lost", "refused"}[k]
}

// StreamEvent is one event on the stream. Every connection attempt ends with exactly
// one event that is not a message, unless the context of [Session.RunStream] ends
// first.
type StreamEvent struct {
	Kind StreamEventKind
	// Epoch numbers the connection attempts of the session, from 1.
	Epoch uint64
	// First marks the first message of a connection.
	First bool
	// Instruction is the content of a message.
	Instruction wire.Instruction
	// Trust is how long after a message the stream should be trusted without another
	// one.
	Trust time.Duration
	// Err is why a stream was lost or refused, in one line.
	Err error
}

// refusalsInRow is how many refusals in a row count as one after the stream has
// worked in this process.
const refusalsInRow = 3

// RunStream keeps a stream of instructions open until the context ends; package pace
// decides when it reconnects. It calls post for every event, in order and from one
// goroutine; post must not block. After RunStream has returned it is not called again.
// At most one RunStream of a session runs at a time.
func (s *Session) RunStream(ctx context.Context, options StreamOptions, post func(StreamEvent)) {
	s.pacer.start(options.StreamOnly)
	log := streamLog{log: s.transport.log.With(zap.String("worker_id", s.id))}
	refusals := 0
	for s.pacer.wait(ctx) == nil {
		try := &attempt{
			session:  s,
			epoch:    s.epoch.Add(1),
			trust:    max(options.SilenceLimit, 0),
			protocol: s.transport.trailers.protocol(options.Protocol),
			post: func(event StreamEvent) {
				s.transport.contact.succeeded()
				if event.First {
					s.transport.streamed.Store(true)
					s.pacer.step(pace.MessageReceived)
					log.healthy(event.Epoch)
				}
				post(event)
			},
		}
		if try.epoch > 1 {
			s.group.client.Redial()
		}
		end := try.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if options.Protocol == StreamAuto {
			s.transport.trailers.observe(try)
		}
		refusals++
		if !end.refusal {
			refusals = 0
		}
		if end.kind == StreamLost && !end.refusal {
			s.transport.contact.failed()
		}
		event := StreamEvent{Kind: end.kind, Epoch: try.epoch, Err: end.err}
		if end.refusal && (refusals >= refusalsInRow || !s.transport.streamed.Load()) {
			event.Kind = StreamRefused
		}
		paced := [...]pace.Event{StreamEnded: pace.StreamEnded, StreamLost: pace.StreamLost, StreamRefused: pace.StreamRefused}[event.Kind]
		if end.refreshed {
			paced = pace.StreamRefreshed
		}
		if end.moves {
			s.group.move(try.endpoint, try.moves)
		}
		wait := s.pacer.ended(paced, end.retryAfter)
		log.ended(event, wait)
		post(event)
	}
}

// streamLog logs one line when the stream is lost, one when it is refused and one
// when it is back. Planned reconnects and further failures are logged for debugging
// only.
type streamLog struct {
	log       *zap.Logger
	lostSince time.Time // zero while the stream is not lost
	refused   bool      // a refusal was logged since
}

// healthy is called with the first message of a connection.
func (l *streamLog) healthy(epoch uint64) {
	if l.lostSince.IsZero() {
		l.log.Debug("stream open", zap.Uint64("epoch", epoch))
		return
	}
	l.log.Info("stream restored", zap.Uint64("epoch", epoch), zap.Duration("after", time.Since(l.lostSince)))
	l.lostSince, l.refused = time.Time{}, false
}

// ended is called at every end of an attempt; wait is how long until the next one.
func (l *streamLog) ended(event StreamEvent, wait time.Duration) {
	fields := []zap.Field{zap.Uint64("epoch", event.Epoch), zap.Duration("wait", wait), zap.Error(event.Err)}
	switch {
	case event.Kind == StreamEnded:
		l.log.Debug("stream ended as planned", fields...)
		return
	case event.Kind == StreamRefused && !l.refused:
		l.log.Warn("stream refused by the control plane; will retry about every ten minutes", fields...)
		l.refused = true
	case l.lostSince.IsZero():
		l.log.Warn("stream lost", fields...)
	default:
		l.log.Debug("stream attempt failed", fields...)
	}
	if l.lostSince.IsZero() {
		l.lostSince = time.Now()
	}
}
