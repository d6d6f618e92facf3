// Package refusal logs refused authentication, sparingly: a caller with a wrong token
// repeats its call, and must not fill the log.
package refusal

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// Interval is the shortest time between two lines.
const Interval = 10 * time.Second

// Log writes at most one line in each Interval, and counts the rest. Its methods may
// be called concurrently.
type Log struct {
	logger *zap.Logger

	mu         sync.Mutex
	last       time.Time
	suppressed int
	total      int // refusals since the start
}

// New returns a Log that writes to logger.
func New(logger *zap.Logger) *Log { return &Log{logger: logger} }

// OtherRoute is the name of what no route serves.
const OtherRoute = "other"

// Refusal is a call that was refused.
type Refusal struct {
	// Method is that of HTTP, and Route what it is called in metrics and in the access log.
	Method, Route string
	// Address is the host from which it came.
	Address string
	// Presented is the token; empty if there was none. It is never logged.
	Presented string
	// Reason is why it was refused, where that is known. It contains no token.
	Reason string
}

// Refused logs a refusal. The line names the worker or job of a token that has the
// form of one.
func (l *Log) Refused(r Refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total++
	now, presented := time.Now(), r.Presented
	if !l.last.IsZero() && now.Sub(l.last) < Interval {
		l.suppressed++
		return
	}
	fields := []zap.Field{
		zap.String("method", r.Method), zap.String("route", r.Route), zap.String("address", r.Address),
		zap.Int("suppressed", l.suppressed), zap.Int("total", l.total),
	}
	reason := "unknown token"
	if presented == "" {
		reason = "no token"
	}
	if id, ok := token.Session.ID(presented); ok {
		reason = "session token not valid"
		fields = append(fields, zap.String("worker_id", id))
	}
	if id, ok := token.Job.ID(presented); ok {
		reason = "job token not valid, or the job has ended"
		fields = append(fields, zap.String("job_id", id))
	}
	if r.Reason != "" {
		reason = r.Reason
	}
	l.logger.Warn("authentication refused", append(fields, zap.String("reason", reason))...)
	l.last, l.suppressed = now, 0
}
