package joblog

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Read returns what is stored of a job's log, from an offset on, in order and without
// waiting. Where bytes are missing, the next chunk begins after them. Unlike Follow it
// reads none of the data before the offset, so a part of a large log is cheap. An error is
// the last item. store.ErrUnavailable.
func (l *Log) Read(ctx context.Context, jobID string, from uint64) iter.Seq2[wire.Chunk, error] {
	return func(yield func(wire.Chunk, error) bool) {
		places, err := l.st.ChunkPlaces(ctx, jobID)
		if err != nil {
			yield(wire.Chunk{}, err)
			return
		}
		slices.SortStableFunc(places, func(a, b store.ChunkPlace) int { return cmp.Compare(a.Offset, b.Offset) })
		for _, place := range places {
			if place.End() <= from {
				continue // before the part, or a copy
			}
			chunk, err := l.st.ChunkAt(ctx, place.Position)
			if errors.Is(err, store.ErrNotFound) {
				continue // it has expired
			}
			if err != nil {
				yield(wire.Chunk{}, err)
				return
			}
			if chunk.Offset < from {
				chunk.Data, chunk.Offset = chunk.Data[from-chunk.Offset:], from
			}
			from = chunk.End()
			if !yield(chunk.Chunk, nil) {
				return
			}
		}
	}
}
