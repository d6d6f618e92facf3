package worker

import (
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/fsm"
)

// summaryInterval is the time between two lines about a worker that goes on polling.
const summaryInterval = time.Minute

// recordLog logs what happens to a worker: a change of state at level info, any other
// event at level debug. The beginning and the end of a job that change nothing else are at
// level debug, too: logEnd logs a line for each job. While the worker polls, of the pings
// only the first one, the first failure and the first answer after failures are changes
// for a reader; the others are at level debug, and a line a minute has their number. It
// belongs to the goroutine that runs the loop.
type recordLog struct {
	since time.Time // when the poller took control; zero while it is not in control
	told  time.Time // when the last line about pings was logged
	// pings and failed are the pings since then, and lastCause is why the last one failed.
	pings, failed int
	lastCause     string
	failing       bool // the last ping has failed
	pinged        bool // one has been answered or has failed since the poller took control
}

// record logs an event and the machine's answer.
func (l *recordLog) record(logger *zap.Logger, r *fsm.Record) {
	level, message := zapcore.DebugLevel, "event"
	if r.From != r.To {
		level, message = zapcore.InfoLevel, "state changed"
	}
	if l.isRoutine(r) || isRoutineJob(r) {
		level = zapcore.DebugLevel
	}
	if entry := logger.Check(level, message); entry != nil {
		fields := []zap.Field{zap.Stringer("from", r.From), zap.Stringer("to", r.To), zap.Stringer("event", r.Event)}
		if r.Guard != "" {
			fields = append(fields, zap.String("guard", r.Guard))
		}
		if r.Ignored != "" {
			fields = append(fields, zap.String("ignored", r.Ignored))
		}
		if r.Cause != "" {
			fields = append(fields, zap.String("cause", r.Cause))
		}
		entry.Write(fields...)
	}
	l.summarize(logger, r)
}

// isRoutine counts the event if it is of a ping, and reports whether it is one like those
// before.
func (l *recordLog) isRoutine(r *fsm.Record) bool {
	switch {
	case r.To.Owner() != fsm.OwnerPoller:
		*l = recordLog{}
		return false
	case l.since.IsZero():
		*l = recordLog{since: r.Time, told: r.Time}
	}
	switch r.Event.Kind { //nolint:exhaustive // the others are not of a ping without a job
	case fsm.PollDue:
		return l.pinged
	case fsm.PollFailed:
		first := !l.failing
		l.pinged, l.failing, l.lastCause = true, true, r.Cause
		l.pings++
		l.failed++
		return !first
	case fsm.AnsweredIdle:
		first := l.failing || !l.pinged
		l.pinged, l.failing = true, false
		l.pings++
		return !first
	}
	return false
}

// isRoutineJob reports whether an event only begins or ends a job.
func isRoutineJob(r *fsm.Record) bool {
	switch r.Event.Kind { //nolint:exhaustive // the others are not of a job
	case fsm.ReceivedJob, fsm.AnsweredJob, fsm.JobFinished:
		return r.From.Owner() == r.To.Owner()
	}
	return false
}

// summarize logs the number of pings if a minute has passed. A worker that polls because
// it was started so, and whose pings are answered, has nothing to tell.
func (l *recordLog) summarize(logger *zap.Logger, r *fsm.Record) {
	if l.since.IsZero() || r.Time.Sub(l.told) < summaryInterval || l.pings == 0 {
		return
	}
	level := zapcore.InfoLevel
	fields := []zap.Field{
		zap.Stringer("to", r.To), zap.Duration("after", r.Time.Sub(l.since).Round(time.Second)),
		zap.Int("pings", l.pings), zap.Int("failed", l.failed),
	}
	if l.failed > 0 {
		level = zapcore.WarnLevel
		fields = append(fields, zap.String("cause", l.lastCause))
	}
	if l.failed > 0 || r.Facts.Mode != fsm.PollOnly {
		logger.Log(level, "still polling", fields...)
	}
	l.told, l.pings, l.failed = r.Time, 0, 0
}
