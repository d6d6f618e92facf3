package agentwire

import (
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// refusalInterval is the shortest time between two log lines of refusals.
const refusalInterval = 10 * time.Second

// refusals logs refused authentication, at most one line in each refusalInterval:
// the rest are counted. Its methods may be called concurrently.
type refusals struct {
	logger *zap.Logger

	mu         sync.Mutex
	last       time.Time
	suppressed int
}

// log logs that a request for a route was refused. The line names the worker or
// job whose token was presented, if the token has the form of one; it never
// contains a token.
func (l *refusals) log(header http.Header, route string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.last.IsZero() && now.Sub(l.last) < refusalInterval {
		l.suppressed++
		return
	}
	fields := []zap.Field{zap.String("route", route), zap.Int("suppressed", l.suppressed)}
	presented := tokenOf(header)
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
	l.logger.Warn("authentication refused", append(fields, zap.String("reason", reason))...)
	l.last, l.suppressed = now, 0
}
