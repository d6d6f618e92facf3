package job

import (
	"errors"
	"fmt"
	"os"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// owed is a job's entry in the spool, and what is in it.
type owed struct {
	entry  *spool.Entry  // nil: there is no spool, or it could not take the job
	result *spool.Result // what it holds as the job's end
	kept   int           // chunks in it that were given up here
	keep   bool          // it is left for another process
}

// openSpool makes room for the job in the spool. A job runs without: then what
// this agent owes is lost if it is killed.
func (r *run) openSpool() {
	if r.opts.Spool == nil {
		return
	}
	entry, err := r.opts.Spool.Begin(spool.Job{
		ID: r.spec.ID, Token: r.spec.Token, Endpoint: r.opts.ReportEndpoint, Headers: r.opts.Headers,
		ChunkMaxSize: min(max(r.spec.ChunkMaxSize, 1), maxChunk), StartedAt: r.result.StartedAt, PID: os.Getpid(),
	})
	if err != nil {
		r.logger.Warn("the job is not kept in the spool: its end would not be delivered if this agent were killed, "+
			"and its output is cut if uploads are slow", zap.Error(err))
		return
	}
	r.owed.entry = entry
}

// spoolResult keeps the result as it is known now, so that it is delivered
// whatever happens to this agent.
func (r *run) spoolResult(up *uploader) {
	if r.owed.entry == nil {
		return
	}
	lost := r.result.ChunksFailed
	if up != nil {
		lost, r.owed.kept = up.owes()
	}
	result := spool.Result{
		ExitStatus: r.result.ExitStatus, Signal: r.result.Signal, SignalReason: string(r.result.SignalReason),
		FinishedAt: r.result.FinishedAt, ChunksFailed: lost,
	}
	if r.owed.result == nil || *r.owed.result != result {
		r.putResult(result)
	}
}

func (r *run) putResult(result spool.Result) {
	if err := r.owed.entry.SetResult(result); err != nil {
		r.logger.Warn("the job's result is not kept in the spool: it would not be delivered if this agent were killed", zap.Error(err))
		return
	}
	r.owed.result = &result
}

// finished notes how the delivery of the result went, and what is owed now.
func (r *run) finished(err error) {
	switch {
	case err == nil:
		if r.owed.kept > 0 && r.owed.result != nil {
			result := *r.owed.result
			result.Delivered = true
			r.putResult(result)
			r.logger.Warn("output of the job stays in the spool, and is delivered later", zap.Int("chunks", r.owed.kept))
			r.owed.keep = true
		}
	case errors.Is(err, ErrRefused):
		r.fail(PhaseFinish, fmt.Errorf("the control plane does not want the result, and it is dropped: %w", err))
	default:
		r.owed.keep = r.owed.result != nil
		if r.owed.keep {
			err = fmt.Errorf("%w; the result is in the spool and is delivered later", err)
		}
		r.fail(PhaseFinish, err)
	}
}

// closeSpool lets go of the job's entry: removed, unless something is owed.
func (r *run) closeSpool() {
	switch {
	case r.owed.entry == nil:
	case r.owed.keep:
		r.owed.entry.Close()
	default:
		if err := r.owed.entry.Remove(); err != nil {
			r.logger.Warn("the job's entry stays in the spool", zap.Error(err))
		}
	}
}
