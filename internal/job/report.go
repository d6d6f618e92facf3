package job

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/logpipe"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// spooledResult is the job's entry in the spool, and the result in it.
type spooledResult struct {
	entry      *spool.Entry // nil: no spool, or an error
	result     *spool.Result
	chunksKept int         // failed chunks that are still in the entry
	keep       bool        // the entry stays, for another delivery
	sync       *time.Timer // syncs the first result
}

// defaultSyncDelay is how long the delivery of a result may take until the result is synced
// to the disk. Most are delivered sooner, and then removed.
const defaultSyncDelay = 100 * time.Millisecond

// openSpool adds the job to the spool. The job runs without, too: then its log and
// result are lost if the agent is killed.
func (r *run) openSpool() {
	if r.opts.Spool == nil {
		return
	}
	entry, err := r.opts.Spool.Create(spool.Job{
		ID: r.spec.ID, Token: r.spec.Token, Endpoint: r.spec.ReportEndpoint, Headers: r.spec.Headers,
		ChunkMaxSize: min(max(r.spec.ChunkMaxSize, 1), logpipe.MaxChunk), StartedAt: r.result.StartedAt, PID: os.Getpid(),
	})
	if err != nil {
		r.logger.Warn("could not add the job to the spool: its result is lost if this agent is killed, "+
			"and its output is dropped if uploads are slow", zap.Error(err))
		return
	}
	r.spooled.entry = entry
}

// storeResult stores the result as it is now in the spool, so that it is delivered
// whatever happens to this agent. Unless it is delivered soon, it is synced, too.
func (r *run) storeResult() {
	if r.spooled.entry == nil {
		return
	}
	result := spool.Result{FinishRequest: r.result.FinishRequest}
	if r.log != nil {
		stats := r.log.Stats()
		result.ChunksFailed, r.spooled.chunksKept = stats.Failed-stats.Kept, stats.Kept
	}
	if r.spooled.result == nil || *r.spooled.result != result {
		r.putResult(result)
	}
}

func (r *run) putResult(result spool.Result) {
	if err := r.spooled.entry.SetResult(result); err != nil {
		r.logger.Warn("could not store the job's result in the spool: it is lost if this agent is killed", zap.Error(err))
		return
	}
	r.spooled.result = &result
	if r.spooled.sync == nil {
		r.spooled.sync = time.AfterFunc(cmp.Or(r.opts.syncDelay, defaultSyncDelay), r.syncResult)
	}
}

// syncResult makes the stored result survive a power failure. It may be called
// concurrently with everything else.
func (r *run) syncResult() {
	if err := r.spooled.entry.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		r.logger.Warn("could not sync the job's result in the spool to the disk: it is lost if the machine fails", zap.Error(err))
	}
}

// finish delivers the result, and decides whether the job stays in the spool.
func (r *run) finish(ctx context.Context) {
	ctx, cancel := outlive(ctx, r.opts.FinishTimeout, r.opts.LeaveTimeout)
	defer cancel()
	if r.spooled.result == nil { // nothing was run
		r.storeResult()
	}
	err := r.step(ctx, "finish", func(ctx context.Context) error { return r.cp.Finish(ctx, r.result.FinishRequest) })
	s := &r.spooled
	switch {
	case err == nil:
		if s.chunksKept > 0 && s.result != nil {
			result := *s.result
			result.Acknowledged = true
			r.putResult(result)
			s.keep = true
			r.logger.Warn("log chunks stay in the spool and are delivered later", zap.Int("chunks", s.chunksKept))
		}
	case errors.Is(err, wire.ErrRevoked) && s.result != nil:
		s.keep = true
		r.fail(PhaseFinish, fmt.Errorf("%w; the result stays in the spool", err))
	case errors.Is(err, wire.ErrRefused):
		r.fail(PhaseFinish, fmt.Errorf("the control plane refuses the result, which is dropped: %w", err))
	case s.result != nil:
		s.keep = true
		r.fail(PhaseFinish, fmt.Errorf("%w; the result stays in the spool and is delivered later", err))
	default:
		r.fail(PhaseFinish, err)
	}
}

// closeSpool removes the job from the spool, unless it has something undelivered.
func (r *run) closeSpool() {
	if r.spooled.sync != nil {
		r.spooled.sync.Stop()
	}
	switch {
	case r.spooled.entry == nil:
	case r.spooled.keep:
		r.syncResult()
		r.spooled.entry.Close()
	default:
		if err := r.spooled.entry.Remove(); err != nil {
			r.logger.Warn("could not remove the job from the spool", zap.Error(err))
		}
	}
}

// outlive returns a context for work after the job, which does not end with ctx. It
// ends after timeout; if ctx ends because the agent stops, it ends at most leave
// after that.
func outlive(ctx context.Context, timeout, leave time.Duration) (context.Context, context.CancelFunc) {
	outliving, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		if agentStops(context.Cause(ctx)) {
			time.AfterFunc(leave, cancel)
		}
	})
	return outliving, func() {
		stop()
		cancel()
	}
}
