package joblog

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

const (
	// trimAt is the part of the room for all logs, in percent, above which the oldest
	// logs are deleted. What is left is for chunks that arrive meanwhile, also at
	// other replicas: beyond the room the store discards the oldest chunks, whosever
	// they are.
	trimAt  = 90
	percent = 100
	// trimStep is how much is freed at once, as a divisor of the room for all logs.
	trimStep = 64
)

// room keeps logs within the room that the store has for them, by deleting the logs
// of jobs that ended, the oldest first.
type room struct {
	// left is how many bytes may be stored before the store is asked again.
	left atomic.Int64

	mu sync.Mutex // held by the call that trims
	// oldest are the jobs that have a log, the oldest first, from the last listing.
	oldest []string
}

// makeRoom deletes logs of jobs that ended if there is little room for size more
// bytes. Chunks that arrive meanwhile do not wait for it.
func (l *Log) makeRoom(ctx context.Context, size int) {
	if l.room.left.Add(-int64(size)) > 0 || !l.room.mu.TryLock() {
		return
	}
	defer l.room.mu.Unlock()
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	if err := l.trim(ctx); err != nil {
		l.config.Logger.Warn("failed to make room for logs; will retry", zap.Error(err))
	}
}

// trim deletes the oldest logs of jobs that ended until there is room, and sets how
// much. The caller holds the lock of the room.
func (l *Log) trim(ctx context.Context) error {
	used, most, err := l.st.LogUsage(ctx)
	if err != nil {
		return err //nolint:wrapcheck // the store's errors say what was attempted
	}
	if most == 0 {
		l.room.left.Store(math.MaxInt64)
		return nil
	}
	high, step := most/percent*trimAt, most/trimStep
	deleted := 0
	listed := false
	for used > high-step && (deleted > 0 || used > high) {
		id, ok := l.nextOldest(ctx, &listed)
		if !ok {
			break
		}
		if err := l.trimLog(ctx, id); err != nil {
			return err
		}
		deleted++
		if used, most, err = l.st.LogUsage(ctx); err != nil {
			return err //nolint:wrapcheck // the store's errors say what was attempted
		}
	}
	l.room.left.Store(max(step, high-used))
	switch {
	case deleted > 0:
		l.config.Logger.Info("deleted the logs of jobs that ended, to make room", zap.Int("jobs", deleted),
			zap.Int64("used_bytes", used), zap.Int64("limit_bytes", most))
	case used > high:
		l.config.Logger.Warn("logs of running jobs fill the store; it discards their oldest chunks at the limit",
			zap.Int64("used_bytes", used), zap.Int64("limit_bytes", most))
	}
	return nil
}

// trimLog deletes the log of a job that has ended, or whose record is gone.
func (l *Log) trimLog(ctx context.Context, id string) error {
	size, _ := l.Size(ctx, id)
	return l.DeleteRecorded(ctx, id, func(ctx context.Context) error {
		err := l.jobs.LogTrimmed(ctx, id, size)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err //nolint:wrapcheck // it names the job
	})
}

// nextOldest returns the oldest job with a log that has ended, or whose record is
// gone. It lists the logs at most once in a trim.
func (l *Log) nextOldest(ctx context.Context, listed *bool) (id string, ok bool) {
	for {
		if len(l.room.oldest) == 0 {
			if *listed {
				return "", false
			}
			*listed = true
			var err error
			if l.room.oldest, err = l.st.LogIDs(ctx); err != nil || len(l.room.oldest) == 0 {
				return "", false
			}
		}
		id, l.room.oldest = l.room.oldest[0], l.room.oldest[1:]
		job, err := l.jobs.ReadJob(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && job.State.Final() {
			return id, true
		}
	}
}
