package job

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// recorder is a control plane that keeps what is reported to it. Its functions, if
// set, are called first.
type recorder struct {
	onStart  func(context.Context) error
	onChunk  func(context.Context, wire.Chunk) error
	onState  func(context.Context) (wire.JobState, error)
	onFinish func(context.Context) error

	mu       sync.Mutex
	calls    []string
	chunks   []wire.Chunk
	finished []wire.FinishRequest
	grown    chan struct{} // closed and replaced with every chunk
}

func (r *recorder) note(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, call)
}

func (r *recorder) Start(ctx context.Context, _ time.Time) error {
	r.note("start")
	if r.onStart != nil {
		return r.onStart(ctx)
	}
	return nil
}

func (r *recorder) Chunk(ctx context.Context, chunk wire.Chunk) error {
	if r.onChunk != nil {
		if err := r.onChunk(ctx, chunk); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	chunk.Data = bytes.Clone(chunk.Data)
	r.chunks = append(r.chunks, chunk)
	r.calls = append(r.calls, "chunk")
	if r.grown != nil {
		close(r.grown)
		r.grown = nil
	}
	return nil
}

func (r *recorder) State(ctx context.Context) (wire.JobState, error) {
	if r.onState != nil {
		return r.onState(ctx)
	}
	return wire.StateRunning, nil
}

func (r *recorder) Finish(ctx context.Context, result wire.FinishRequest) error {
	r.mu.Lock()
	r.calls = append(r.calls, "finish")
	r.finished = append(r.finished, result)
	r.mu.Unlock()
	if r.onFinish != nil {
		return r.onFinish(ctx)
	}
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

// await waits until the log contains text. It may be called from any goroutine of
// the test.
func (r *recorder) await(t *testing.T, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		r.mu.Lock()
		if r.grown == nil {
			r.grown = make(chan struct{})
		}
		grown := r.grown
		whole, _ := joinChunks(r.chunks) // a later chunk may come before an earlier one
		r.mu.Unlock()
		if bytes.Contains(whole, []byte(text)) {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			t.Errorf("the log has no %q after a minute:\n%s", text, whole)
			return
		}
	}
}

// jobFor returns a job that runs script, and options with a build path of the test's
// own.
func jobFor(tb testing.TB, script string) (Spec, Options) {
	tb.Helper()
	spec := Spec{Job: wire.Job{ID: "0190-test", Env: map[string]string{wire.EnvCommand: script}, ChunkMaxSize: 100_000}}
	return spec, Options{Settings: Settings{BuildPath: tb.TempDir()}, StatusInterval: time.Millisecond, chunkInterval: time.Millisecond}
}
