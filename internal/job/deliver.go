package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/logpipe"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Deliver delivers what an agent process, an earlier one or this one, could not deliver of a
// job: the rest of its log, and its result. If that process did not see the end of the job,
// Deliver reports so, in the job's log and in its result (reason agent_stop).
//
// After nil, the entry is removed: all was delivered, or the control plane refused
// it, or it was too old. After an error, the entry is closed and can be delivered
// again: also one of a worker that was revoked, until it is too old. The logger names the
// job.
func Deliver(ctx context.Context, entry *spool.Entry, cp ControlPlane, logger *zap.Logger) error {
	delivered, err := deliver(ctx, entry, cp, logger)
	switch {
	case err == nil:
	case errors.Is(err, wire.ErrRefused), errors.Is(err, ErrTokenInvalid) && !errors.Is(err, wire.ErrRevoked):
		logger.Warn("dropped an undelivered job result: refused by the control plane", zap.Error(err))
	case time.Since(entry.Job.StartedAt) > spool.MaxAge:
		logger.Error("dropped an undelivered job result: too old", zap.Error(err))
	default:
		entry.Close()
		return err
	}
	if err := entry.Remove(); err != nil {
		return fmt.Errorf("removing a delivered job, which may be delivered again, without harm: %w", err)
	}
	if err == nil {
		logger.Info("delivered an undelivered job result", delivered...)
	}
	return nil
}

// deliver delivers an entry, and returns what to log about it.
func deliver(ctx context.Context, entry *spool.Entry, cp ControlPlane, logger *zap.Logger) ([]zap.Field, error) {
	chunks, lost := entry.Chunks()
	result, endSeen := entry.Result()
	if !endSeen {
		if err := checkRunning(ctx, cp); err != nil {
			return nil, err
		}
		note, err := appendEndNotSeen(entry, chunks)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, note)
		result = endNotSeen()
	}
	refused, err := logpipe.Resend(ctx, entry, chunks, cp.Chunk, logger)
	if err != nil {
		return nil, err //nolint:wrapcheck // the error is complete
	}
	result.ChunksFailed += lost + refused
	if !result.Acknowledged {
		if err := cp.Finish(ctx, result.FinishRequest); err != nil {
			return nil, fmt.Errorf("delivering the result: %w", err)
		}
	}
	return []zap.Field{
		zap.Bool("end_seen", endSeen), zap.String("exit_status", result.ExitStatus),
		zap.Int("chunks", len(chunks)-refused), zap.Int("chunks_failed", result.ChunksFailed),
	}, nil
}

// checkRunning returns an error that wraps wire.ErrRefused unless the control plane has
// seen the start of the job. A job that was only accepted is not finished: the
// control plane assigns it again.
func checkRunning(ctx context.Context, cp ControlPlane) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	state, err := cp.State(ctx)
	if err != nil {
		return fmt.Errorf("requesting the state of the job: %w", err)
	}
	switch state {
	case "", wire.StateRunning, wire.StateCanceling, wire.StateTimingOut: // some control planes return no state
		return nil
	default:
		return fmt.Errorf("%w: the job is %s", wire.ErrRefused, state)
	}
}

// endNotSeen returns the result of a job whose end was not seen.
func endNotSeen() spool.Result {
	return spool.Result{FinishRequest: wire.FinishRequest{
		ExitStatus: wire.ExitStatusNeverRan, SignalReason: wire.ReasonAgentStop, FinishedAt: wire.FormatTime(time.Now()),
	}}
}

// appendEndNotSeen adds a chunk to the job's log that says that its end was not
// seen, and stores the result, so that another delivery does not add it again.
func appendEndNotSeen(entry *spool.Entry, chunks []spool.Chunk) (spool.Chunk, error) {
	var last spool.Chunk
	if n := len(chunks); n > 0 {
		last = chunks[n-1]
	}
	line := fmt.Sprintf("switchyard: the agent that ran this job (process %d) ended before the job did; how the job ended is not known\n",
		entry.Job.PID)
	if last.End() > 0 {
		line = "\n" + line // it is not known whether the log ends with a complete line
	}
	line = line[:min(uint64(len(line)), entry.Job.ChunkMaxSize)]
	note := spool.Chunk{Sequence: last.Sequence + 1, Offset: last.End(), Size: uint64(len(line))}
	if err := entry.Append(note.Sequence, note.Offset, []byte(line)); err != nil {
		return spool.Chunk{}, fmt.Errorf("adding the last line of the log: %w", err)
	}
	if err := entry.SetResult(endNotSeen()); err != nil {
		return spool.Chunk{}, fmt.Errorf("storing the result: %w", err)
	}
	return note, nil
}
