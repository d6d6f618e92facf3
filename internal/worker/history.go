package worker

import (
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/fsm"
)

// logRecord logs a change of state at level info, and any other event at level
// debug.
func logRecord(logger *zap.Logger, r *fsm.Record) {
	level, message := zapcore.DebugLevel, "event"
	if r.From != r.To {
		level, message = zapcore.InfoLevel, "state changed"
	}
	entry := logger.Check(level, message)
	if entry == nil {
		return
	}
	fields := []zap.Field{zap.Stringer("from", r.From), zap.Stringer("to", r.To), zap.Stringer("event", r.Event)}
	for _, field := range []struct{ key, value string }{
		{"guard", r.Guard}, {"ignored", r.Ignored}, {"cause", r.Cause},
	} {
		if field.value != "" {
			fields = append(fields, zap.String(field.key, field.value))
		}
	}
	entry.Write(fields...)
}

// HistorySize is the number of records that a worker remembers: about a dozen
// jobs, or half an hour of keep-alives, in about 20 KB.
const HistorySize = 64

// history is a ring of a worker's last records. The zero value is empty. It grows
// with its content, since most workers of a large agent are idle. It may be used
// concurrently.
type history struct {
	mu      sync.Mutex
	records []fsm.Record
	oldest  int // its index, once the ring is full
}

func (h *history) add(r *fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) < HistorySize {
		h.records = append(h.records, *r)
		return
	}
	h.records[h.oldest] = *r
	h.oldest = (h.oldest + 1) % HistorySize
}

// all returns a copy of the records, oldest first.
func (h *history) all() []fsm.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(append([]fsm.Record(nil), h.records[h.oldest:]...), h.records[:h.oldest]...)
}
