package joblog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// ErrClosed is in the chain of the error of a chunk that no missing chunk of a closed log
// can be.
var ErrClosed = errors.New("the log of the job is closed")

// AppendLate stores a chunk of a log that the result of its job has closed, if it can be
// one of the missing chunks: it lies in a gap, or behind the end where the gaps do not
// account for all. To store it again is a success that stores nothing; it reports
// whether the chunk is new. size is that of the log when the result arrived, in bytes.
//
// It reads where all chunks of the log lie, so late chunks are stored one at a time.
// ErrClosed, and the errors of Append.
func (l *Log) AppendLate(ctx context.Context, jobID string, size uint64, missing int, c wire.Chunk) (stored bool, err error) {
	if err := check(c); err != nil || len(c.Data) == 0 {
		return false, err
	}
	if limit := l.MaxSize(); c.End() > limit {
		return false, fmt.Errorf("%w of %d bytes; the rest is not kept", ErrFull, limit)
	}
	if err := l.late.Acquire(ctx, 1); err != nil {
		return false, fmt.Errorf("storing a late chunk of job %s: %w", jobID, err)
	}
	defer l.late.Release(1)
	places, err := l.st.ChunkPlaces(ctx, jobID)
	if err != nil {
		return false, err //nolint:wrapcheck // the store's errors say what was attempted
	}
	known, placed := place(places, c, size, missing)
	switch {
	case known.Position > 0:
		return false, l.checkSame(ctx, known, c)
	case !placed:
		return false, closed(c, missing)
	}
	l.makeRoom(ctx, len(c.Data))
	return true, l.store(ctx, jobID, c)
}

func closed(c wire.Chunk, missing int) error {
	if missing == 0 {
		return fmt.Errorf("%w: its result has arrived, and no chunk of the log is missing, so chunk %d is not added", ErrClosed, c.Sequence)
	}
	return fmt.Errorf("%w: its result has arrived, and chunk %d at offset %d is none of the %d chunks that are missing",
		ErrClosed, c.Sequence, c.Offset, missing)
}

// place returns the stored chunk with the sequence of a late one, if there is one, and
// reports whether the late chunk fits among the others otherwise.
func place(places []store.ChunkPlace, c wire.Chunk, size uint64, missing int) (known store.ChunkPlace, fits bool) {
	var before, last store.ChunkPlace // of the next lower sequence, of the highest
	after := store.ChunkPlace{Sequence: ^uint64(0), Offset: ^uint64(0)}
	sequences := map[uint64]bool{}
	for _, p := range places {
		if p.Sequence == c.Sequence {
			return p, false
		}
		sequences[p.Sequence] = true
		if p.Sequence < c.Sequence && p.Sequence > before.Sequence {
			before = p
		}
		if p.Sequence > c.Sequence && p.Sequence < after.Sequence {
			after = p
		}
		if p.Sequence > last.Sequence {
			last = p
		}
	}
	switch gaps := last.Sequence - uint64(len(sequences)); {
	case missing <= 0, c.Offset < before.End(), c.End() > after.Offset:
		return known, false
	case c.Sequence < last.Sequence:
		return known, true
	case last.End() < size:
		return known, false // the end of the log has arrived, and is not kept any more
	default:
		return known, c.Sequence-last.Sequence+gaps <= uint64(missing)
	}
}

// checkSame returns ErrClosed unless a chunk is the one that is stored.
func (l *Log) checkSame(ctx context.Context, known store.ChunkPlace, c wire.Chunk) error {
	stored, err := l.st.ChunkAt(ctx, known.Position)
	if err != nil {
		return err //nolint:wrapcheck // the store's errors say what was attempted
	}
	if stored.Offset != c.Offset || !bytes.Equal(stored.Data, c.Data) {
		return fmt.Errorf("%w: chunk %d is stored, with another content", ErrClosed, c.Sequence)
	}
	return nil
}

// check returns record.ErrInvalid for a chunk that no log can have.
func check(c wire.Chunk) error {
	switch {
	case c.Sequence == 0:
		return record.Invalid("sequence", "must be 1 or more")
	case len(c.Data) > MaxChunkSize:
		return record.Invalid("size", "must be at most %d bytes", MaxChunkSize)
	case c.Sequence <= c.Offset/MaxChunkSize:
		return record.Invalid("offset", "is %d, more than the chunks before chunk %d can hold", c.Offset, c.Sequence)
	}
	return nil
}
