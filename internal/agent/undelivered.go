package agent

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// firstRetry is the wait after the first failed delivery. It doubles up to
	// maxRetry. A random part of the same length is added, so that a fleet does
	// not come back to its control plane at once.
	firstRetry = 2 * time.Second
	maxRetry   = 5 * time.Minute
	// scanInterval is how often the spool is searched for new entries.
	scanInterval = time.Minute
)

// undelivered delivers job results and logs that are in the spool because an
// earlier process, or this one, could not deliver them. It needs no registered
// worker, only the token of each job: the control plane marks a job as lost soon
// after its agent is gone.
type undelivered struct {
	spool     *spool.Spool
	transport *transport.Transport
	logger    *zap.Logger
}

// run delivers until the context ends.
func (u undelivered) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	retry := firstRetry
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		wait := scanInterval
		if u.deliverAll(ctx) {
			retry = firstRetry
		} else {
			wait = retry + rand.N(retry) //nolint:gosec // spreading load needs no secrecy
			retry = min(2*retry, maxRetry)
		}
		timer.Reset(wait)
	}
}

// deliverAll tries once to deliver each entry of the spool. It reports whether
// none is left.
func (u undelivered) deliverAll(ctx context.Context) bool {
	all := true
	for entry := range u.spool.Undelivered() {
		if ctx.Err() != nil {
			entry.Close()
			return true // the result is not used any more
		}
		all = u.deliver(ctx, entry) && all
	}
	return all
}

// deliver tries once to deliver an entry, and removes it if that succeeded or
// cannot succeed. It reports whether the entry is done with.
func (u undelivered) deliver(ctx context.Context, entry *spool.Entry) bool {
	logger := u.logger.With(zap.String("job_id", entry.Job.ID))
	session, err := u.transport.UndeliveredJob(entry.Job.Endpoint, entry.Job.Headers, entry.Job.ID, entry.Job.Token)
	if err != nil {
		logger.Error("undelivered job result cannot be sent; dropping it", zap.Error(err))
		if err := entry.Remove(); err != nil {
			logger.Warn("spool entry not removed", zap.Error(err))
		}
		return true
	}
	if err := job.Deliver(ctx, entry, session, logger); err != nil {
		if ctx.Err() == nil {
			logger.Warn("undelivered job result of a previous agent process; will retry", zap.Error(err))
		}
		return false
	}
	return true
}
