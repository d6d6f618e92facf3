package worker

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Transition is one event of a worker and what its machine answered.
type Transition struct {
	// Time is when the event was taken.
	Time time.Time
	// Worker is the id under which the worker is registered.
	Worker string
	// Event is what happened, and Cause says why in words, if something is
	// known: an error, the reason of a pause.
	Event fsm.Event
	Cause string
	// From and To are the states before and after; they may be the same.
	From, To fsm.State
	// Guard decided for the row; empty if the row has none, or if the event was
	// ignored, for the reason in Ignored.
	Guard, Ignored string
	// Effects are what was done, in order.
	Effects []fsm.Effect
	// Facts are what the machine knows after the event.
	Facts fsm.Facts
}

// log writes a change of state as information, and the rest for debugging.
func (t *Transition) log(logger *zap.Logger) {
	level := zapcore.DebugLevel
	if t.From != t.To {
		level = zapcore.InfoLevel
	}
	entry := logger.Check(level, t.From.String()+" -> "+t.To.String())
	if entry == nil {
		return
	}
	fields := []zap.Field{zap.Stringer("event", t.Event)}
	text := func(key, value string) {
		if value != "" {
			fields = append(fields, zap.String(key, value))
		}
	}
	text("guard", t.Guard)
	text("ignored", t.Ignored)
	text("cause", t.Cause)
	entry.Write(fields...)
}
