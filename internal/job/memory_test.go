//go:build unix

package job

import (
	"context"
	"crypto/sha256"
	"hash"
	"runtime"
	"sync"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/job/logpipe"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// slow is a control plane that is slower than any command: it accepts one chunk at a
// time, hashes it several times, and reads the memory in use.
type slow struct {
	sink

	mu   sync.Mutex
	hash hash.Hash
	most uint64
}

func (s *slow) Chunk(ctx context.Context, chunk wire.Chunk) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 4 {
		_, _ = s.hash.Write(chunk.Data) // a hash never fails
	}
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	s.most = max(s.most, now.HeapAlloc)
	return s.sink.Chunk(ctx, chunk)
}

// TestRunBoundsMemory runs a command that writes faster than its output is uploaded.
// The memory in use does not grow with the output.
func TestRunBoundsMemory(t *testing.T) {
	const (
		size = 128 << 20
		most = 24 << 20 // the log needs at most 13 MiB; the rest is garbage and the test's own
	)
	spec, opts := jobFor(t, "head -c 134217728 /dev/zero")
	spec.ChunkMaxSize = logpipe.MaxChunk
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	cp := &slow{hash: sha256.New()}
	result, err := Run(t.Context(), spec, cp, opts)
	if err != nil || result.OutputBytes != size || cp.bytes.Load() != size {
		t.Fatalf("%+v, %v", result, err)
	}
	if cp.most > before.HeapAlloc+most {
		t.Errorf("%d MiB in use for %d MiB of output", (cp.most-before.HeapAlloc)>>20, size>>20)
	}
	t.Logf("%.1f MiB in use at the most", float64(cp.most-min(cp.most, before.HeapAlloc))/(1<<20))
}
