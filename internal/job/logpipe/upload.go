package logpipe

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// upload uploads the chunks of a queue until it ends.
func upload(ctx context.Context, send Upload, q *queue) {
	for {
		c, ok := q.take()
		if !ok {
			return
		}
		data := c.data
		err := ctx.Err()
		if err == nil && data == nil {
			data, err = q.backlog.entry.Read(c.Chunk, q.takeSpare())
		}
		if err == nil {
			err = send(ctx, wire.Chunk{Sequence: c.Sequence, Offset: c.Offset, Data: data})
		}
		q.done(c, data, err)
	}
}

// Resend uploads chunks that a process left in the spool, and discards those that
// are uploaded or refused. It returns how many are lost: refused or unreadable. An
// error means that at least one chunk was not uploaded and stays in the spool.
func Resend(ctx context.Context, entry *spool.Entry, chunks []spool.Chunk, send Upload, logger *zap.Logger) (lost int, err error) {
	var lostCount atomic.Int64
	uploads, ctx := errgroup.WithContext(ctx)
	uploads.SetLimit(maxUploads)
	for _, c := range chunks {
		uploads.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			data, err := entry.Read(c, nil)
			if err != nil {
				lostCount.Add(1)
				logger.Error("lost a log chunk: could not read it from the spool", zap.Uint64("sequence", c.Sequence), zap.Error(err))
				return nil
			}
			err = send(ctx, wire.Chunk{Sequence: c.Sequence, Offset: c.Offset, Data: data})
			if err != nil && !errors.Is(err, wire.ErrRefused) {
				return fmt.Errorf("uploading chunk %d: %w", c.Sequence, err)
			}
			if err != nil && !errors.Is(err, wire.ErrLogFull) {
				lostCount.Add(1)
				logger.Warn("lost a log chunk: refused by the control plane", zap.Uint64("sequence", c.Sequence), zap.Error(err))
			}
			entry.Discard(c)
			return nil
		})
	}
	if err := uploads.Wait(); err != nil {
		return 0, err //nolint:wrapcheck // it names the chunk
	}
	return int(lostCount.Load()), nil
}
