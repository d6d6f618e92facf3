package job

import (
	"bytes"
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"
)

func uploaderFor(ctx context.Context, cp ControlPlane, limit uint64) *uploader {
	const interval = 1250 * time.Millisecond // of which a second is spent waiting
	return newUploader(ctx, cp, Spec{ChunkMaxSize: limit, ChunkInterval: interval, LogMaxSize: math.MaxUint64}, zap.NewNop())
}

// What goes out, and when: each row writes, and lists the chunks with the time
// of each.
func TestUploaderTiming(t *testing.T) {
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
		takes   time.Duration // each upload
		want    []sent
	}{
		{name: "nothing", flushAt: time.Second},
		{
			name:   "the interval counts from the first byte",
			writes: []write{{0, "a"}, {900 * time.Millisecond, "b"}, {1900 * time.Millisecond, "c"}}, flushAt: time.Minute,
			want: []sent{{time.Second, "ab"}, {2900 * time.Millisecond, "c"}},
		},
		{
			name:   "a full chunk goes at once, and the rest has an interval of its own",
			writes: []write{{500 * time.Millisecond, "abcdefghi"}}, flushAt: time.Minute,
			want: []sent{{500 * time.Millisecond, "abcd"}, {500 * time.Millisecond, "efgh"}, {1500 * time.Millisecond, "i"}},
		},
		{
			name:   "the clock of a chunk that went out full is not that of the next",
			writes: []write{{0, "abc"}, {500 * time.Millisecond, "de"}}, flushAt: time.Minute,
			want: []sent{{500 * time.Millisecond, "abcd"}, {1500 * time.Millisecond, "e"}},
		},
		{
			name:   "a chunk that goes out full at once leaves no clock running",
			writes: []write{{0, "abcd"}, {500 * time.Millisecond, "e"}}, flushAt: time.Minute,
			want: []sent{{0, "abcd"}, {1500 * time.Millisecond, "e"}},
		},
		{
			name:   "the flush does not wait",
			writes: []write{{0, "a"}}, flushAt: time.Millisecond,
			want: []sent{{time.Millisecond, "a"}},
		},
		{
			name:   "a chunk that is due waits for room, and fills",
			writes: []write{{0, "aaaabbbbccccd"}, {2 * time.Second, "dd"}}, flushAt: time.Minute, takes: 5 * time.Second,
			want: []sent{{0, "aaaa"}, {0, "bbbb"}, {0, "cccc"}, {5 * time.Second, "ddd"}},
		},
		{
			name:   "nothing is written and nothing is sent for a long time",
			writes: []write{{time.Hour, "a"}}, flushAt: 2 * time.Hour,
			want: []sent{{time.Hour + time.Second, "a"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				times := map[uint64]time.Duration{}
				cp := &recorder{}
				cp.onChunk = func(_ context.Context, chunk Chunk) error {
					cp.mu.Lock()
					times[chunk.Sequence] = time.Since(began)
					cp.mu.Unlock()
					time.Sleep(tt.takes)
					return nil
				}
				up := uploaderFor(t.Context(), cp, limit)
				for _, w := range tt.writes {
					time.Sleep(w.at - time.Since(began))
					_, _ = up.front.Write([]byte(w.data))
				}
				time.Sleep(tt.flushAt - time.Since(began))
				up.flush()
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

// abort ends the uploads under way, lets the writer go, and every chunk that
// was lost is counted.
func TestUploaderAbort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cp := &recorder{onChunk: func(ctx context.Context, _ Chunk) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		up := uploaderFor(t.Context(), cp, 2)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = up.front.Write(bytes.Repeat([]byte("x"), 21))
		}()
		synctest.Wait()
		up.abort()
		<-done
		up.flush()
		if up.failed != 11 || up.total() != 21 {
			t.Errorf("%d chunks failed of %d bytes, want 11 of 21", up.failed, up.total())
		}
	})
}

// A chunk is bounded by us when the control plane does not bound it.
func TestUploaderBoundsTheChunk(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	up := uploaderFor(t.Context(), cp, math.MaxUint64)
	_, _ = up.front.Write(make([]byte, maxChunk+1))
	up.flush()
	if len(cp.chunks) != 2 || up.total() != maxChunk+1 {
		t.Errorf("%d chunks of %d bytes", len(cp.chunks), up.total())
	}
}

func TestUploaderWarnsOnce(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.WarnLevel)
	cp := &recorder{}
	up := newUploader(t.Context(), cp, Spec{ChunkMaxSize: 10, ChunkInterval: time.Second, LogMaxSize: 5}, zap.New(core))
	for i, want := range []int{0, 0, 1, 1, 1} {
		_, _ = up.front.Write([]byte("ab"))
		if got := logs.Len(); got != want {
			t.Errorf("%d warnings after %d bytes, want %d", got, 2*(i+1), want)
		}
	}
	up.flush()
	if whole, err := cp.log(); err != nil || string(whole) != "ababababab" {
		t.Errorf("%q, %v", whole, err)
	}
}

// A line of the agent's is on a line of its own.
func TestUploaderLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ output, want string }{
		{"", "switchyard: 1 thing\n"},
		{"text\n", "text\nswitchyard: 1 thing\n"},
		{"text", "text\nswitchyard: 1 thing\n"},
		{"50%\r", "50%\r\nswitchyard: 1 thing\n"},
	}
	for _, tt := range tests {
		cp := &recorder{}
		up := uploaderFor(t.Context(), cp, 100)
		_, _ = up.front.Write([]byte(tt.output))
		up.linef("%d thing", 1)
		up.flush()
		if whole, err := cp.log(); err != nil || string(whole) != tt.want {
			t.Errorf("%q, %v, want %q", whole, err, tt.want)
		}
	}
}

// Whatever is written, however long uploads take and whichever fail: chunks are
// numbered without a gap, begin where the one before ended, hold at most the
// limit, and put together are what was written; no more than maxInFlight are
// under way, none that there is room for is late, and each failure is counted.
func TestUploaderInvariants(t *testing.T) {
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

// uploadAll is one case of TestUploaderInvariants, inside a bubble; it gives
// what went wrong.
func uploadAll(ctx context.Context, limit uint64, writes [][]byte, pauses, uploads []int, failing []bool) []error {
	var (
		problems []error
		all      []Chunk
		inFlight int
		failures int
		cp       recorder
	)
	cp.onChunk = func(_ context.Context, chunk Chunk) error {
		cp.mu.Lock()
		inFlight++
		if inFlight > maxInFlight {
			problems = append(problems, errors.New("too many uploads under way"))
		}
		if chunk.Size == 0 || chunk.Size > limit {
			problems = append(problems, errors.New("a chunk of the wrong size"))
		}
		before := bytes.Clone(chunk.Data)
		all = append(all, Chunk{chunk.Sequence, chunk.Offset, chunk.Size, before})
		cp.mu.Unlock()
		time.Sleep(time.Duration(uploads[chunk.Sequence%uint64(len(uploads))]) * time.Millisecond)
		cp.mu.Lock()
		defer cp.mu.Unlock()
		inFlight--
		if !bytes.Equal(before, chunk.Data) {
			problems = append(problems, errors.New("a chunk has changed under its upload"))
		}
		if failing[chunk.Sequence%uint64(len(failing))] {
			failures++
			return errors.New("refused")
		}
		return nil
	}
	up := uploaderFor(ctx, &cp, limit)
	for i, data := range writes {
		_, _ = up.front.Write(data)
		time.Sleep(time.Duration(pauses[i]) * time.Millisecond)
		synctest.Wait()
		up.mu.Lock()
		late := up.inFlight < maxInFlight && len(up.buf) > 0
		up.mu.Unlock()

		// A second is the interval: what was written that long ago is on its
		// way, if there is room.
		if late && pauses[i] >= 1000 {
			cp.mu.Lock()
			problems = append(problems, errors.New("a byte is late"))
			cp.mu.Unlock()
		}
	}
	up.flush()
	whole, err := joinChunks(all)
	if err != nil {
		problems = append(problems, err)
	}
	if !bytes.Equal(whole, bytes.Join(writes, nil)) {
		problems = append(problems, errors.New("the chunks are not what was written"))
	}
	if up.failed != failures || up.total() != uint64(len(whole)) {
		problems = append(problems, errors.New("failures or bytes are miscounted"))
	}
	return problems
}
