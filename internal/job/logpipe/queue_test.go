package logpipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestTiming writes output and checks the chunks and the time of each upload.
func TestTiming(t *testing.T) {
	t.Parallel()
	type write struct {
		at   time.Duration
		data string
	}
	type sent struct {
		at   time.Duration
		data string
	}
	const limit = 4
	tests := []struct {
		name    string
		writes  []write
		flushAt time.Duration
		takes   time.Duration // of each upload
		want    []sent
	}{
		{name: "nothing", flushAt: time.Second},
		{
			name:   "the interval counts from the first byte",
			writes: []write{{0, "a"}, {900 * time.Millisecond, "b"}, {1900 * time.Millisecond, "c"}}, flushAt: time.Minute,
			want: []sent{{time.Second, "ab"}, {2900 * time.Millisecond, "c"}},
		},
		{
			name:   "a full chunk is uploaded at once, and the rest has its own interval",
			writes: []write{{500 * time.Millisecond, "abcdefghi"}}, flushAt: time.Minute,
			want: []sent{{500 * time.Millisecond, "abcd"}, {500 * time.Millisecond, "efgh"}, {1500 * time.Millisecond, "i"}},
		},
		{
			name:   "the timer of a full chunk does not affect the next chunk",
			writes: []write{{0, "abc"}, {500 * time.Millisecond, "de"}}, flushAt: time.Minute,
			want: []sent{{500 * time.Millisecond, "abcd"}, {1500 * time.Millisecond, "e"}},
		},
		{
			name:   "a chunk that is full at once starts no timer",
			writes: []write{{0, "abcd"}, {500 * time.Millisecond, "e"}}, flushAt: time.Minute,
			want: []sent{{0, "abcd"}, {1500 * time.Millisecond, "e"}},
		},
		{
			name:   "the flush does not wait for the interval",
			writes: []write{{0, "a"}}, flushAt: time.Millisecond,
			want: []sent{{time.Millisecond, "a"}},
		},
		{
			name:   "a chunk that is due fills while uploads are busy",
			writes: []write{{0, "aaaabbbbccccd"}, {2 * time.Second, "dd"}}, flushAt: time.Minute, takes: 5 * time.Second,
			want: []sent{{0, "aaaa"}, {0, "bbbb"}, {0, "cccc"}, {5 * time.Second, "ddd"}},
		},
		{
			name:   "nothing is written for a long time",
			writes: []write{{time.Hour, "a"}}, flushAt: 2 * time.Hour,
			want: []sent{{time.Hour + time.Second, "a"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				times := map[uint64]time.Duration{}
				cp := &recorder{}
				cp.onChunk = func(_ context.Context, chunk wire.Chunk) error {
					cp.mu.Lock()
					times[chunk.Sequence] = time.Since(start)
					cp.mu.Unlock()
					time.Sleep(tt.takes)
					return nil
				}
				p := newPipe(t.Context(), cp, limit)
				for _, w := range tt.writes {
					time.Sleep(w.at - time.Since(start))
					_, _ = p.Write([]byte(w.data))
				}
				time.Sleep(tt.flushAt - time.Since(start))
				p.Flush()
				if len(cp.chunks) != len(tt.want) {
					t.Fatalf("%d chunks, want %d", len(cp.chunks), len(tt.want))
				}
				if _, err := cp.log(); err != nil {
					t.Fatal(err)
				}
				for _, chunk := range cp.chunks {
					want := tt.want[chunk.Sequence-1]
					if got := times[chunk.Sequence]; got != want.at || string(chunk.Data) != want.data {
						t.Errorf("chunk %d: %q at %v, want %q at %v", chunk.Sequence, chunk.Data, got, want.data, want.at)
					}
				}
			})
		})
	}
}

// TestAbort cancels the uploads and the writer. Every lost chunk is counted.
func TestAbort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cp := &recorder{onChunk: func(ctx context.Context, _ wire.Chunk) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		p := newPipe(t.Context(), cp, 2)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = p.Write(bytes.Repeat([]byte("x"), 21))
		}()
		synctest.Wait()
		p.Abort()
		<-done
		p.Flush()
		if got := p.Stats(); got.Failed != 11 || got.Bytes != 21 {
			t.Errorf("%+v, want 11 failed chunks of 21 bytes", got)
		}
	})
}

// TestChunkBound checks the bound of a chunk that the control plane does not bound.
func TestChunkBound(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	p := newPipe(t.Context(), cp, math.MaxUint64)
	_, _ = p.Write(make([]byte, MaxChunk+1))
	p.Flush()
	if len(cp.chunks) != 2 || p.Stats().Bytes != MaxChunk+1 {
		t.Errorf("%d chunks, %+v", len(cp.chunks), p.Stats())
	}
}

// TestWarnSize exceeds the size at which one warning is logged.
func TestWarnSize(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.WarnLevel)
	cp := &recorder{}
	config := configFor(cp, 10)
	config.WarnSize, config.Logger = 5, zap.New(core)
	p := New(t.Context(), config)
	for i, want := range []int{0, 0, 1, 1, 1} {
		_, _ = p.Write([]byte("ab"))
		if got := logs.Len(); got != want {
			t.Errorf("%d warnings after %d bytes, want %d", got, 2*(i+1), want)
		}
	}
	p.Flush()
	if whole, err := cp.log(); err != nil || string(whole) != "ababababab" {
		t.Errorf("%q, %v", whole, err)
	}
}

// TestNotef adds a line of the agent's own, which begins a new line.
func TestNotef(t *testing.T) {
	t.Parallel()
	tests := []struct{ output, want string }{
		{"", "switchyard: 1 thing\n"},
		{"text\n", "text\nswitchyard: 1 thing\n"},
		{"text", "text\nswitchyard: 1 thing\n"},
		{"50%\r", "50%\r\nswitchyard: 1 thing\n"},
	}
	for _, tt := range tests {
		cp := &recorder{}
		p := newPipe(t.Context(), cp, 100)
		_, _ = p.Write([]byte(tt.output))
		p.Notef("%d thing", 1)
		p.Flush()
		if whole, err := cp.log(); err != nil || string(whole) != tt.want {
			t.Errorf("%q, %v, want %q", whole, err, tt.want)
		}
	}
}

// TestInvariants draws writes, upload times and failures. Chunks are numbered
// without a gap, fit together, hold at most the limit, and contain what was written;
// at most maxUploads run at once, none that could run is late, and each failure is
// counted.
func TestInvariants(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.Uint64Range(1, 64).Draw(rt, "limit")
		writes := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 200), 0, 20).Draw(rt, "writes")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 1500), len(writes), len(writes)).Draw(rt, "pauses in ms")
		uploads := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 10).Draw(rt, "uploads in ms")
		failing := rapid.SliceOfN(rapid.Bool(), 1, 10).Draw(rt, "failing")
		var problems []error
		synctest.Test(t, func(t *testing.T) {
			problems = uploadAll(t.Context(), limit, writes, pauses, uploads, failing)
		})
		if len(problems) > 0 {
			rt.Fatal(errors.Join(problems...))
		}
	})
}

// uploadAll is one case of TestInvariants, inside a bubble. It returns what went
// wrong.
func uploadAll(ctx context.Context, limit uint64, writes [][]byte, pauses, uploads []int, failing []bool) []error {
	var (
		problems []error
		all      []wire.Chunk
		inFlight int
		failures int
		cp       recorder
	)
	cp.onChunk = func(_ context.Context, chunk wire.Chunk) error {
		cp.mu.Lock()
		inFlight++
		if inFlight > maxUploads {
			problems = append(problems, errors.New("too many uploads at once"))
		}
		if len(chunk.Data) == 0 || uint64(len(chunk.Data)) > limit {
			problems = append(problems, errors.New("a chunk of the wrong size"))
		}
		before := bytes.Clone(chunk.Data)
		all = append(all, wire.Chunk{Sequence: chunk.Sequence, Offset: chunk.Offset, Data: before})
		cp.mu.Unlock()
		time.Sleep(time.Duration(uploads[chunk.Sequence%uint64(len(uploads))]) * time.Millisecond)
		cp.mu.Lock()
		defer cp.mu.Unlock()
		inFlight--
		if !bytes.Equal(before, chunk.Data) {
			problems = append(problems, errors.New("a chunk changed during its upload"))
		}
		if failing[chunk.Sequence%uint64(len(failing))] {
			failures++
			return errors.New("refused")
		}
		return nil
	}
	p := newPipe(ctx, &cp, limit)
	for i, data := range writes {
		_, _ = p.Write(data)
		time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
		synctest.Wait()
		p.queue.mu.Lock()
		late := p.queue.uploading < maxUploads && len(p.queue.buf) > 0
		p.queue.mu.Unlock()

		// A second is the interval: what was written that long ago is being
		// uploaded, if an upload is free.
		if late && pauses[i] >= 1000 {
			cp.mu.Lock()
			problems = append(problems, errors.New("a byte is late"))
			cp.mu.Unlock()
		}
	}
	p.Flush()
	whole, err := joinChunks(all)
	if err != nil {
		problems = append(problems, err)
	}
	if !bytes.Equal(whole, bytes.Join(writes, nil)) {
		problems = append(problems, errors.New("the chunks differ from what was written"))
	}
	if got := p.Stats(); got.Failed != failures || got.Bytes != uint64(len(whole)) {
		problems = append(problems, errors.New("wrong counts of failures or bytes"))
	}
	return problems
}

// TestLogFull has a control plane that keeps the first chunks only. Nothing more is
// uploaded or kept, the writer does not wait, and nothing counts as failed.
func TestLogFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		uploads := 0
		cp := &recorder{onChunk: func(_ context.Context, c wire.Chunk) error {
			uploads++
			if c.Sequence > 2 {
				return fmt.Errorf("413: %w, %w", wire.ErrLogFull, wire.ErrRefused)
			}
			return nil
		}}
		config := configFor(cp, 2)
		config.Logger = zap.New(core)
		p := New(t.Context(), config)
		_, _ = p.Write([]byte("ababab"))
		synctest.Wait()
		began := time.Now()
		for range 100 {
			_, _ = p.Write(bytes.Repeat([]byte("x"), 1<<20))
		}
		p.Notef("the last line")
		p.Flush()
		if waited := time.Since(began); waited > 0 {
			t.Errorf("the writer waited %v", waited)
		}
		if got, want := p.Stats(), (Stats{Bytes: 6 + 100<<20 + 27}); got != want || uploads != 3 {
			t.Errorf("%+v after %d uploads, want %+v after 3", got, uploads, want)
		}
		if logs.Len() != 1 {
			t.Errorf("%d warnings, want 1: %v", logs.Len(), logs.All())
		}
	})
}
