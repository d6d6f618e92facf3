package logpipe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a control plane that keeps the chunks that it receives. onChunk, if
// set, is called first; the chunk is kept only if it returns nil.
type recorder struct {
	onChunk func(context.Context, wire.Chunk) error

	mu     sync.Mutex
	chunks []wire.Chunk
}

func (r *recorder) upload(ctx context.Context, chunk wire.Chunk) error {
	if r.onChunk != nil {
		if err := r.onChunk(ctx, chunk); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	chunk.Data = bytes.Clone(chunk.Data)
	r.chunks = append(r.chunks, chunk)
	return nil
}

// log joins the chunks, and checks that they fit together.
func (r *recorder) log() ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return joinChunks(r.chunks)
}

// joinChunks joins chunks, and checks that they fit together without a gap.
func joinChunks(chunks []wire.Chunk) ([]byte, error) {
	sorted := slices.SortedFunc(slices.Values(chunks), func(a, b wire.Chunk) int { return cmp.Compare(a.Sequence, b.Sequence) })
	var whole []byte
	for i, chunk := range sorted {
		switch {
		case chunk.Sequence != uint64(i)+1:
			return whole, fmt.Errorf("chunk %d is missing", i+1)
		case chunk.Offset != uint64(len(whole)):
			return whole, fmt.Errorf("chunk %d begins at %d, want %d", chunk.Sequence, chunk.Offset, len(whole))
		}
		whole = append(whole, chunk.Data...)
	}
	return whole, nil
}

// newPipe returns a pipe to r with chunks of at most size bytes, which are due after
// a second.
func newPipe(ctx context.Context, r *recorder, size uint64) *Pipe {
	return New(ctx, configFor(r, size))
}

func configFor(r *recorder, size uint64) Config {
	const interval = 1250 * time.Millisecond // a second of it is for filling the chunk
	return Config{Upload: r.upload, ChunkMaxSize: size, ChunkInterval: interval, WarnSize: math.MaxUint64, Logger: zap.NewNop()}
}
