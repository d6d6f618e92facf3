package job

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// Deliver tells the control plane what an agent that is gone has owed it about
// a job: the rest of its output and how it ended. If the job's end was not
// seen, that is what it says, in the job's log and in its result
// ([ReasonAgentStop]).
//
// After nil nothing is owed any more: it was delivered, or the control plane
// does not want it, and the entry is removed. After an error the entry is as
// good as before, and closed. The logger names the job.
func Deliver(ctx context.Context, entry *spool.Entry, cp ControlPlane, logger *zap.Logger) error {
	d := delivery{entry: entry, cp: cp, logger: logger}
	switch err := d.deliver(ctx); {
	case err == nil:
	case errors.Is(err, ErrRefused), errors.Is(err, ErrTokenInvalid):
		d.logger.Warn("the control plane does not want what the agent before this one owed it about a job; it is dropped", zap.Error(err))
	case time.Since(entry.Job.StartedAt) > spool.MaxAge:
		d.logger.Error("what the agent before this one owed could not be delivered for too long; it is dropped", zap.Error(err))
	default:
		entry.Close()
		return err
	}
	if err := entry.Remove(); err != nil {
		return fmt.Errorf("delivered, and may be delivered again, which is harmless: %w", err)
	}
	return nil
}

type delivery struct {
	entry  *spool.Entry
	cp     ControlPlane
	logger *zap.Logger
}

func (d delivery) deliver(ctx context.Context) error {
	pieces, lost := d.entry.Pieces()
	result, seen := d.entry.Result()
	if !seen {
		if err := d.ask(ctx); err != nil {
			return err
		}
		obituary, err := d.obituary()
		if err != nil {
			return err
		}
		pieces = append(pieces, obituary)
		result = spool.Result{
			ExitStatus: StatusNeverRan, SignalReason: string(ReasonAgentStop), FinishedAt: time.Now(), ChunksFailed: lost,
		}
	} else {
		result.ChunksFailed += lost
	}
	refused, err := d.upload(ctx, pieces)
	if err != nil {
		return err
	}
	result.ChunksFailed += refused
	if !result.Delivered {
		if err := d.cp.Finish(ctx, Result{
			ExitStatus: result.ExitStatus, Signal: result.Signal, SignalReason: SignalReason(result.SignalReason),
			StartedAt: d.entry.Job.StartedAt, FinishedAt: result.FinishedAt, ChunksFailed: result.ChunksFailed,
		}); err != nil {
			return fmt.Errorf("delivering the result: %w", err)
		}
	}
	d.logger.Info("delivered what the agent before this one owed about a job", zap.Bool("end_seen", seen),
		zap.String("exit_status", result.ExitStatus), zap.Int("chunks", len(pieces)-refused), zap.Int("chunks_failed", result.ChunksFailed))
	return nil
}

// ask finds out whether the control plane has seen the start of a job whose end
// was not seen. One that was accepted only is not ended: the control plane
// gives it to another worker.
func (d delivery) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	state, err := d.cp.State(ctx)
	if err != nil {
		return fmt.Errorf("asking whether the job is still running: %w", err)
	}
	switch state {
	case "", "running", "canceling", "timing_out": // an existing control plane may not say
		return nil
	default:
		return fmt.Errorf("%w: the job is %s", ErrRefused, state)
	}
}

// obituary writes the line about the agent's death behind the job's output.
func (d delivery) obituary() (spool.Piece, error) {
	number, offset := d.entry.End()
	line := fmt.Sprintf("switchyard: the agent that ran this job (process %d) ended before the job did, without a word; "+
		"how the job ended is not known\n", d.entry.Job.PID)
	if offset > 0 {
		line = "\n" + line // whether the output ended with its line is not known
	}
	line = line[:min(uint64(len(line)), d.entry.Job.ChunkMaxSize)]
	piece := spool.Piece{Number: number + 1, Offset: offset, Size: uint64(len(line))}
	if err := d.entry.Append(piece.Number, piece.Offset, []byte(line)); err != nil {
		return spool.Piece{}, fmt.Errorf("writing the job's last line: %w", err)
	}

	// Now the line is said once: the next one finds it, and a result.
	err := d.entry.SetResult(spool.Result{ExitStatus: StatusNeverRan, SignalReason: string(ReasonAgentStop), FinishedAt: time.Now()})
	if err != nil {
		return spool.Piece{}, fmt.Errorf("keeping the job's result: %w", err)
	}
	return piece, nil
}

// upload sends the pieces, and gives how many of them the control plane
// refused.
func (d delivery) upload(ctx context.Context, pieces []spool.Piece) (int, error) {
	var refused atomic.Int64
	uploads, ctx := errgroup.WithContext(ctx)
	uploads.SetLimit(maxInFlight)
	for _, piece := range pieces {
		uploads.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			data, err := d.entry.Read(piece, nil)
			if err != nil {
				refused.Add(1)
				d.logger.Error("a piece of output is lost", zap.Error(err))
				return nil
			}
			err = d.cp.Chunk(ctx, Chunk{Sequence: piece.Number, Offset: piece.Offset, Size: piece.Size, Data: data})
			if err != nil && !errors.Is(err, ErrRefused) {
				return fmt.Errorf("uploading chunk %d: %w", piece.Number, err)
			}
			if err != nil {
				refused.Add(1)
				d.logger.Warn("a chunk of the job's output is lost", zap.Uint64("sequence", piece.Number), zap.Error(err))
			}
			d.entry.Delivered(piece)
			return nil
		})
	}
	if err := uploads.Wait(); err != nil {
		return 0, err //nolint:wrapcheck // it says what failed
	}
	return int(refused.Load()), nil
}
