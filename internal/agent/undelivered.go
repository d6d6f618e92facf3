package agent

import (
	"context"
	"math/rand/v2"
	"slices"
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
	held      *heldJobs
	logger    *zap.Logger
}

// list notes all entries of the spool as held, the oldest first.
func (u undelivered) list() {
	var jobs []spool.Job
	for entry := range u.spool.Undelivered() {
		if holdsResult(entry) {
			jobs = append(jobs, entry.Job)
		}
		entry.Close()
	}
	slices.SortFunc(jobs, func(a, b spool.Job) int { return a.StartedAt.Compare(b.StartedAt) })
	for _, job := range jobs {
		u.held.add(job.ID)
	}
}

// holdsResult reports whether the control plane has not acknowledged the result of an
// entry, so that more than chunks of the log are undelivered.
func holdsResult(entry *spool.Entry) bool {
	result, _ := entry.Result()
	return !result.Acknowledged && entry.Job.Token != ""
}

// run delivers until the context ends: by its own schedule, and as soon as any call of
// the agent reaches the control plane again.
func (u undelivered) run(ctx context.Context) {
	recovery := u.transport.Recovery()
	retry := firstRetry
	for ctx.Err() == nil {
		p := u.deliverAll(ctx)
		wait := scanInterval
		if p.left > 0 {
			wait = retry + rand.N(retry) //nolint:gosec // spreading load needs no secrecy
			retry = min(2*retry, maxRetry)
		}
		for due := p.at.Add(max(wait, p.least())); recovery.Wait(ctx, p.at.Add(p.least()), due); {
			if p = u.deliverAll(ctx); p.left == 0 {
				break
			}
			if soonest := p.at.Add(p.least()); soonest.After(due) {
				due = soonest
			}
		}
		if p.left == 0 {
			retry = firstRetry
		}
	}
}

// pass is the outcome of one try to deliver each entry of the spool.
type pass struct {
	at         time.Time     // its end
	left       int           // entries that are still undelivered
	retryAfter time.Duration // the longest that the control plane has asked for
}

// least returns the shortest wait until the next pass.
func (p pass) least() time.Duration {
	spread := rand.N(p.retryAfter/10 + 1) //nolint:gosec // as above
	return max(firstRetry, p.retryAfter+spread)
}

// deliverAll tries once to deliver each entry of the spool.
func (u undelivered) deliverAll(ctx context.Context) pass {
	var p pass
	begun := time.Now()
	for entry := range u.spool.Undelivered() {
		if ctx.Err() != nil {
			entry.Close()
			return pass{at: begun} // which is not used any more
		}
		id := entry.Job.ID
		if holdsResult(entry) {
			u.held.add(id)
		}
		if err := u.deliver(ctx, entry); err != nil {
			p.left++
			p.retryAfter = max(p.retryAfter, transport.RetryAfter(err))
			continue
		}
		u.held.remove(id)
	}
	u.held.forget(begun)
	p.at = time.Now()
	return p
}

// deliver tries once to deliver an entry, and removes it if that succeeded or
// cannot succeed. After an error the entry stays.
func (u undelivered) deliver(ctx context.Context, entry *spool.Entry) error {
	logger := u.logger.With(zap.String("job_id", entry.Job.ID))
	session, err := u.transport.UndeliveredJob(entry.Job.Endpoint, entry.Job.Headers, entry.Job.ID, entry.Job.Token)
	if err != nil {
		logger.Error("undelivered job result cannot be sent; dropping it", zap.Error(err))
		if err := entry.Remove(); err != nil {
			logger.Warn("spool entry not removed", zap.Error(err))
		}
		return nil
	}
	if err := job.Deliver(ctx, entry, session, logger); err != nil {
		if ctx.Err() == nil {
			logger.Warn("undelivered job result; will retry", zap.Error(err))
		}
		return err //nolint:wrapcheck // only whether, and its Retry-After, is of interest
	}
	return nil
}
