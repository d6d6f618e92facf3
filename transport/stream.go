package transport

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"
)

// StreamOptions says how [Session.RunStream] behaves.
type StreamOptions struct {
	// StreamOnly says that nobody pings: reconnects then keep to the ping
	// interval, where they would otherwise leave ten seconds at least.
	StreamOnly bool
	// SilenceLimit is how long a stream may go without a message before it
	// counts as lost. Zero leaves that to the control plane, which may announce
	// how often it sends keep-alives ([KeepAliveHeader]); if it does not, there
	// is no limit over HTTP/2, where a PING shows that the connection lives,
	// and one of 150 seconds over HTTP/1.1. Below zero there is no limit at
	// all.
	SilenceLimit time.Duration
	// Protocol is the protocol of the stream.
	Protocol StreamProtocol
}

// StreamEventKind says what happened on the stream.
type StreamEventKind int

// The kinds of event. The zero value is none of them.
const (
	// StreamMessage is one message, and its instruction.
	StreamMessage StreamEventKind = iota + 1
	// StreamEnded is the planned end (clean, deadline exceeded, or by
	// [Session.RefreshStream]) of a connection that has spoken. The next
	// attempt follows within a second.
	StreamEnded
	// StreamLost is any other end, or a failed attempt.
	StreamLost
	// StreamRefused is an answer that says the stream will not work
	// (unauthenticated, permission denied, unimplemented), while no worker of
	// this process has ever had a stream that worked, or for the third time in
	// a row; before that it is a loss.
	StreamRefused
)

// String is the kind in words.
func (k StreamEventKind) String() string {
	switch k {
	case StreamMessage:
		return "message"
	case StreamEnded:
		return "ended"
	case StreamLost:
		return "lost"
	case StreamRefused:
		return "refused"
	default:
		return "unknown"
	}
}

// StreamEvent is one thing that happened on the stream. Every connection
// attempt ends in exactly one event that is not a message, unless the context
// of [Session.RunStream] ended first.
type StreamEvent struct {
	Kind StreamEventKind
	// Epoch is the number of the connection attempt, from one, over the life
	// of the session.
	Epoch uint64
	// First marks the first message of a connection.
	First bool
	// Instruction is what a message says.
	Instruction Instruction
	// Code is the code of a refusal or of an end with a code, else zero.
	Code connect.Code
	// Err says why a stream was lost or refused, in one line.
	Err error
}

// refusalsToBelieve is how many refusals in a row are believed after the
// stream has worked in this process.
const refusalsToBelieve = 3

// RunStream keeps a stream of instructions open until the context ends, and
// reconnects at the moments that the session's [Pacer] picks. It calls post
// for every event, in order and from one goroutine; post must not block, and
// is not called any more once the context has ended and RunStream has
// returned. At most one RunStream of a session runs at a time.
func (s *Session) RunStream(ctx context.Context, options StreamOptions, post func(StreamEvent)) {
	s.pacer.begin(options.StreamOnly)
	report := newStreamLog(s.transport.log.With(zap.String("worker", s.id)))
	refusals := 0
	for s.pacer.wait(ctx) == nil {
		try := &attempt{
			session:  s,
			epoch:    s.epoch.Add(1),
			limit:    options.SilenceLimit,
			protocol: s.transport.trailers.protocol(options.Protocol),
			post: func(event StreamEvent) {
				if event.First {
					s.transport.hadStream.Store(true)
					s.pacer.spoke()
					report.up(event.Epoch)
				}
				post(event)
			},
		}
		if try.epoch > 1 {
			s.transport.router.redial()
		}
		end := try.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if options.Protocol == StreamAuto {
			s.transport.trailers.learn(try.protocol, try.spoken, try.answer)
		}
		if end.refusal {
			refusals++
		} else {
			refusals = 0
		}
		event := StreamEvent{Kind: end.kind, Epoch: try.epoch, Code: end.code, Err: end.err}
		if end.refusal && (refusals >= refusalsToBelieve || !s.transport.hadStream.Load()) {
			event.Kind = StreamRefused
		}
		if end.refreshed {
			s.pacer.refreshed()
		} else {
			s.pacer.over(event.Kind, end.retryAfter)
		}
		report.over(event)
		post(event)
	}
}
