package agent

import (
	"context"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// owedFirst is how long after a try in vain what is owed is tried again, and
	// owedMost what that doubles to; with a random part of the same length, so
	// that a fleet does not come back to its control plane at once.
	owedFirst = 2 * time.Second
	owedMost  = 5 * time.Minute
	// owedLook is how often the spool is looked at for what others, or this agent
	// itself, have left there meanwhile.
	owedLook = time.Minute
)

// deliverOwed delivers what agents that are gone have left in the spool, and what
// this one could not deliver, until the context ends. It waits for no worker to
// be registered: a job's token is all that it takes, and the control plane takes
// a job for lost some time after its agent has fallen silent.
func deliverOwed(ctx context.Context, s *spool.Spool, wire *transport.Transport, logger *zap.Logger) {
	timer := time.NewTimer(0) // at once
	defer timer.Stop()
	failed := owedFirst
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		wait := owedLook
		if deliverAll(ctx, s, wire, logger) {
			failed = owedFirst
		} else {
			wait = failed + rand.N(failed) //nolint:gosec // spreading load needs no secrecy
			failed = min(2*failed, owedMost)
		}
		timer.Reset(wait)
	}
}

// deliverAll tries once to deliver what is owed, and says whether nothing is left.
func deliverAll(ctx context.Context, s *spool.Spool, wire *transport.Transport, logger *zap.Logger) bool {
	all := true
	for entry := range s.Owed() {
		if ctx.Err() != nil {
			entry.Close()
			return true // nobody waits for the answer
		}
		all = deliver(ctx, entry, wire, logger) && all
	}
	return all
}

func deliver(ctx context.Context, entry *spool.Entry, wire *transport.Transport, logger *zap.Logger) bool {
	logger = logger.With(zap.String("job", entry.Job.ID))
	if entry.Job.Token == "" {
		logger.Error("what an agent that is gone owed about a job cannot be delivered, since the job has no token of its own; it is dropped")
		forget(entry, logger)
		return true
	}
	session, err := wire.OwedJob(entry.Job.Endpoint, entry.Job.Headers, entry.Job.ID, entry.Job.Token)
	if err != nil {
		logger.Error("what an agent that is gone owed about a job cannot be delivered; it is dropped", zap.Error(err))
		forget(entry, logger)
		return true
	}
	if err := job.Deliver(ctx, entry, worker.Wire(session), logger); err != nil {
		if ctx.Err() == nil {
			logger.Warn("what an agent that is gone owed about a job is not delivered yet; it is tried again", zap.Error(err))
		}
		return false
	}
	return true
}

func forget(entry *spool.Entry, logger *zap.Logger) {
	if err := entry.Remove(); err != nil {
		logger.Warn("it stays in the spool", zap.Error(err))
	}
}
