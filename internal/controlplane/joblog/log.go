// Package joblog stores the chunks of job logs, puts them in order, and follows
// jobs for people: every change of a job and every byte of its log.
//
// Workers send chunks in parallel and repeat those whose response they missed, so
// chunks arrive out of order and more than once. They are stored as they arrive;
// each reader assembles the log from them. A reader waits for a missing chunk for
// a bounded time only, then reports the gap and goes on.
//
// The result of a job closes its log: what is added later must be one of the chunks that
// its agent has counted as undelivered.
//
// The log of a job is cut at a limit, where a line says so. All logs together are kept
// within the room that the store has for them: the logs of jobs that ended are deleted,
// the oldest first, and their jobs record it.
package joblog

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/semaphore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// MaxChunkSize is the largest chunk of a log, in bytes.
	MaxChunkSize = 512 << 10
	// MaxGap is how far the sequence of a chunk may be after the last one that
	// arrived. Agents send chunks in parallel, and leave out those that they could
	// not deliver.
	MaxGap = 4096
)

// Jobs is what a Log needs to know of jobs. Its methods may be called
// concurrently.
type Jobs interface {
	// ReadJob returns the stored record of a job. store.ErrNotFound.
	ReadJob(ctx context.Context, id string) (record.Job, error)
	// WaitingReason returns why a job is queued; empty for one that is not queued.
	WaitingReason(job record.Job) string
	// Subscribe adds every later change of a job to s, until stop is called.
	Subscribe(jobID string, s *Subscription) (stop func())
	// AddLog records that more of a log was stored. LogReach returns what is known of it,
	// the zero value for nothing.
	AddLog(jobID string, more logstate.Reach)
	LogReach(jobID string) logstate.Reach
	// LogTrimmed records in a job that has ended that its log, of size bytes, is deleted
	// to make room. It succeeds if it is recorded already. store.ErrNotFound,
	// store.ErrUnavailable.
	LogTrimmed(ctx context.Context, jobID string, size uint64) error
}

// Log stores and reads the logs of jobs. Its methods may be called concurrently.
type Log struct {
	st     *store.Store
	jobs   Jobs
	config Config
	room   room
	late   *semaphore.Weighted // of the call that stores a late chunk
}

// Config configures a Log. Every field is required.
type Config struct {
	// Grace is how long a reader waits for a missing chunk after a later one has
	// arrived.
	Grace time.Duration
	// MaxSize is the most bytes of the log of one job; see Log.MaxSize.
	MaxSize uint64
	// Now returns the time.
	Now func() time.Time
	// Logger receives what is done to make room.
	Logger *zap.Logger
}

// New returns a Log.
func New(st *store.Store, jobs Jobs, config Config) *Log {
	return &Log{st: st, jobs: jobs, config: config, late: semaphore.NewWeighted(1)}
}

// Append stores a chunk of a job's log. Storing it again is a success. ErrFull if it
// reaches past the limit; record.ErrInvalid, store.ErrUnavailable.
func (l *Log) Append(ctx context.Context, jobID string, c wire.Chunk) error {
	if err := check(c); err != nil || len(c.Data) == 0 {
		return err
	}
	known := l.reached(ctx, jobID, c.Sequence)
	if c.Sequence > known.Sequence+MaxGap {
		return record.Invalid("sequence", "is %d, more than %d after the last chunk that arrived, %d", c.Sequence, MaxGap, known.Sequence)
	}
	limit := l.MaxSize()
	if known.Stored > maxRepeats*limit+MaxChunkSize {
		return fmt.Errorf("%w of %d bytes, %d times over, with chunks that overlap; the rest is not kept", ErrFull, limit, maxRepeats)
	}
	l.makeRoom(ctx, len(c.Data))
	if c.End() > limit {
		if c.Offset <= limit {
			if err := l.appendLast(ctx, jobID, c, limit); err != nil {
				return err
			}
		}
		return fmt.Errorf("%w of %d bytes; the rest is not kept", ErrFull, limit)
	}
	return l.store(ctx, jobID, c)
}

func (l *Log) store(ctx context.Context, jobID string, c wire.Chunk) error {
	stored, err := l.st.AppendChunk(ctx, jobID, c)
	if err != nil {
		return err //nolint:wrapcheck // the store's errors say what was attempted
	}
	reach := logstate.Reach{Sequence: c.Sequence, End: c.End()}
	if stored {
		reach.Stored = uint64(len(c.Data))
	}
	l.jobs.AddLog(jobID, reach)
	return nil
}

// reached returns how far the chunks reach that have arrived. It reads the store only if
// this replica does not know of a chunk shortly before the next one, and all of it only if
// it knows of none: it has started a moment ago, or another replica has received the log
// so far.
func (l *Log) reached(ctx context.Context, jobID string, next uint64) logstate.Reach {
	known := l.jobs.LogReach(jobID)
	if next == 1 || known.Sequence > 0 && next <= known.Sequence+MaxGap {
		return known
	}
	last, err := l.st.LastChunk(ctx, jobID)
	if err != nil {
		return known // no chunk, or the store fails: the write that follows reports it
	}
	if known.Sequence == 0 {
		places, err := l.st.ChunkPlaces(ctx, jobID)
		if err != nil {
			l.config.Logger.Warn("failed to read how far a log has come", zap.String("job_id", jobID), zap.Error(err))
		}
		var stored logstate.Reach
		for _, p := range places {
			stored = stored.With(logstate.Reach{Sequence: p.Sequence, End: p.End(), Stored: p.Size})
		}
		l.jobs.AddLog(jobID, stored)
		known = known.With(stored)
	}
	return known.With(logstate.Reach{Sequence: last.Sequence, End: last.End()})
}

// Size returns the size in bytes of what has arrived of a job's log, as far as
// this replica knows (from the chunks that were there when it first looked, those that it
// stored itself, and the one that was stored last), and whether the log was cut at its
// limit: the line that says so is beyond the limit.
func (l *Log) Size(ctx context.Context, jobID string) (size uint64, cut bool) {
	size = l.reached(ctx, jobID, math.MaxUint64).End
	return size, size > l.MaxSize()
}

// DeleteRecorded deletes the chunks of a job's log and calls note, which records in the job
// that the log is deleted: before, so that the log is never just empty, and no chunk is
// added meanwhile. Where the store is full, the room that this makes may be what the record
// needs, so note is called again after it. The errors of note, store.ErrUnavailable.
func (l *Log) DeleteRecorded(ctx context.Context, jobID string, note func(context.Context) error) error {
	err := note(ctx)
	full := errors.Is(err, store.ErrFull)
	if err != nil && !full {
		return err
	}
	if err := l.Delete(ctx, jobID); err != nil || !full {
		return err
	}
	return note(ctx)
}

// Delete deletes the chunks of a job's log, which its record says is deleted. It succeeds
// if there are none. store.ErrUnavailable.
func (l *Log) Delete(ctx context.Context, jobID string) error {
	return l.st.DeleteLog(ctx, jobID) //nolint:wrapcheck // the store's errors say what was attempted
}
