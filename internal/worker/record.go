package worker

import (
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/fsm"
)

// log writes a change of state as information, and the rest for debugging.
func log(logger *zap.Logger, r *fsm.Record) {
	level := zapcore.DebugLevel
	if r.From != r.To {
		level = zapcore.InfoLevel
	}
	entry := logger.Check(level, r.From.String()+" -> "+r.To.String())
	if entry == nil {
		return
	}
	fields := []zap.Field{zap.Stringer("event", r.Event)}
	text := func(key, value string) {
		if value != "" {
			fields = append(fields, zap.String(key, value))
		}
	}
	text("guard", r.Guard)
	text("ignored", r.Ignored)
	text("cause", r.Cause)
	entry.Write(fields...)
}

// HistorySize is how many records a worker remembers: the last dozen jobs, or
// half an hour of keep-alives, in some 20 KB.
const HistorySize = 64

// history is the last records of a worker. It may be used concurrently. The zero
// value is empty; it grows with what it holds, since most workers of a large
// agent are idle.
type history struct {
	mu      sync.Mutex
	records []fsm.Record // oldest first from at, once full
	at      int
}

func (h *history) add(r *fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) < HistorySize {
		h.records = append(h.records, *r)
		return
	}
	h.records[h.at] = *r
	h.at = (h.at + 1) % HistorySize
}

// last returns the records, oldest first, in a slice of the caller's own.
func (h *history) last() []fsm.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(append([]fsm.Record(nil), h.records[h.at:]...), h.records[:h.at]...)
}
