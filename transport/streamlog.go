package transport

import (
	"time"

	"go.uber.org/zap"
)

// streamLog tells people about the stream: one line when it is lost, one when
// it is back, none for planned reconnects and for attempts that change
// nothing.
type streamLog struct {
	log       *zap.Logger
	down      bool
	refused   bool
	downSince time.Time
}

func newStreamLog(log *zap.Logger) *streamLog { return &streamLog{log: log} }

// up is told of the first message of a connection.
func (l *streamLog) up(epoch uint64) {
	if !l.down {
		l.log.Debug("stream open", zap.Uint64("epoch", epoch))
		return
	}
	l.log.Info("stream back", zap.Uint64("epoch", epoch), zap.Duration("after", time.Since(l.downSince)))
	*l = streamLog{log: l.log}
}

// over is told of every end.
func (l *streamLog) over(event StreamEvent) {
	fields := []zap.Field{zap.Uint64("epoch", event.Epoch), zap.Error(event.Err)}
	switch {
	case event.Kind == StreamEnded:
		l.log.Debug("stream ended as planned", fields...)
		return
	case event.Kind == StreamRefused && !l.refused:
		l.log.Warn("the control plane refuses the stream; it is tried again about every ten minutes", fields...)
		l.refused = true
	case !l.down:
		l.log.Warn("stream lost", fields...)
	default:
		l.log.Debug("stream still down", fields...)
	}
	if !l.down {
		l.down, l.downSince = true, time.Now()
	}
}
