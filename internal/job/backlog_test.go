package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// entryFor gives an entry in a spool of the test's own.
func entryFor(t *testing.T) (entry *spool.Entry, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if entry, err = s.Begin(spool.Job{ID: "J1", Token: "secret", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: maxChunk}); err != nil {
		t.Fatal(err)
	}
	return entry, dir
}

// breakSpool makes the spool unable to take another piece, as a full disk does;
// the pieces that are there stay.
func breakSpool(t *testing.T, dir string, pieces int) {
	t.Helper()
	entries, err := filepath.Glob(filepath.Join(dir, "job-*"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}

	// Not even root can open a folder for writing.
	for n := range pieces {
		for size := range 2 {
			_ = os.Mkdir(filepath.Join(entries[0], fmt.Sprintf("chunk-%d-%d", n+1, (n+size)<<20)), 0o700)
		}
	}
}

// A job is held up for a minute in all while no upload ends; then its output is
// cut, the log says so where the gap is, and everything before the gap arrives,
// from memory or from the disk.
func TestUploaderCutsOutput(t *testing.T) {
	t.Parallel()
	const (
		limit = 1 << 20
		size  = 40 << 20 // of the output
	)
	tests := []struct {
		name   string
		disk   int64 // of the spool; 0: none
		broken bool  // the disk takes nothing
		kept   int   // chunks before the gap
		says   string
	}{
		{"no spool", 0, false, maxMemory / limit, "--spool-size"},
		{"spool of 20 MiB", 20 << 20, false, 20, "--spool-size"},
		{"spool that takes all", 64 << 20, false, size / limit, ""},
		{"broken disk", 64 << 20, true, maxMemory / limit, "is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				cp := &recorder{onChunk: func(context.Context, Chunk) error {
					<-release
					return nil
				}}
				up := uploaderFor(t.Context(), cp, limit)
				if tt.disk > 0 {
					entry, dir := entryFor(t)
					defer entry.Close()
					if tt.broken {
						breakSpool(t, dir, 2*size/limit)
					}
					up.spoolTo(entry, tt.disk)
				}
				began := time.Now()
				block := bytes.Repeat([]byte("0123456789abcde\n"), 4<<10)
				for range size / len(block) {
					_, _ = up.front.Write(block)
				}
				wantHeld := maxHold
				if tt.says == "" {
					wantHeld = 0
				}
				if held := time.Since(began); held != wantHeld {
					t.Errorf("the job was held up for %v, want %v", held, wantHeld)
				}
				close(release)
				up.flush()
				whole, err := cp.log()
				if err != nil {
					t.Fatal(err)
				}
				output, rest, found := bytes.Cut(whole, []byte("switchyard: "))
				if found != (tt.says != "") || !bytes.Contains(rest, []byte(tt.says)) {
					t.Errorf("the log says %q", rest)
				}

				// The disk that fails is noticed by the first piece that it
				// does not take.
				if len(output) != tt.kept*limit {
					t.Errorf("%d bytes arrived before the gap, want %d", len(output), tt.kept*limit)
				}
				cut := uint64(size - len(output))
				if want := fmt.Sprintf("%d bytes of output are missing here", cut); found && !bytes.HasPrefix(rest, []byte(want)) {
					t.Errorf("the log says %q, want %s", rest, want)
				}
				if up.failed != int(cut/limit) || up.total() != uint64(len(whole))+cut {
					t.Errorf("%d chunks failed of %d bytes, with %d cut and a log of %d", up.failed, up.total(), cut, len(whole))
				}
			})
		})
	}
}

// Once there is room again, output is taken again, and the gap is told of in
// its place.
func TestUploaderResumesAfterAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 20
		release := make(chan struct{})
		cp := &recorder{onChunk: func(context.Context, Chunk) error {
			<-release
			return nil
		}}
		up := uploaderFor(t.Context(), cp, limit)
		_, _ = up.front.Write(bytes.Repeat([]byte("a"), maxMemory+limit)) // of which the last chunk is cut
		if up.backlog.gap != limit {
			t.Fatalf("%d bytes cut, want %d", up.backlog.gap, limit)
		}
		release <- struct{}{}
		synctest.Wait()
		_, _ = up.front.Write([]byte("b")) // an eighth must be free, beside the chunk's own place
		if up.backlog.gap != limit+1 {
			t.Fatalf("%d bytes cut, want %d", up.backlog.gap, limit+1)
		}
		close(release)
		synctest.Wait()
		_, _ = up.front.Write([]byte("c\n"))
		up.flush()
		whole, err := cp.log()
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("a\nswitchyard: %d bytes of output are missing here: they were written faster than the control plane "+
			"took them, and there was no room to keep them on the agent's disk (--spool-size)\nc\n", limit+1)
		if got := string(bytes.TrimLeft(whole, "a")); got != want[1:] || up.failed != 2 {
			t.Errorf("%q, %d failed", got, up.failed)
		}
	})
}

// A chunk that fails for want of an answer is sent again at the flush, if it is
// in the spool; one that is refused is not.
func TestUploaderTriesAgain(t *testing.T) {
	t.Parallel()
	unanswered, refused := errors.New("no answer"), fmt.Errorf("%w: 422", ErrRefused)
	tests := []struct {
		name         string
		spool        bool
		errs         map[uint64][]error // by chunk: of each try
		failed, kept int
		log          string
	}{
		{"again", true, map[uint64][]error{2: {unanswered}}, 0, 0, "aabbcc"},
		{"again, in vain", true, map[uint64][]error{2: {unanswered, unanswered, nil}}, 1, 1, ""},
		{"refused", true, map[uint64][]error{2: {refused, nil}}, 1, 0, ""},
		{"no spool", false, map[uint64][]error{2: {unanswered, nil}}, 1, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tries := map[uint64]int{}
			cp := &recorder{}
			cp.onChunk = func(_ context.Context, c Chunk) error {
				cp.mu.Lock()
				defer cp.mu.Unlock()
				try := tries[c.Sequence]
				tries[c.Sequence]++
				if errs := tt.errs[c.Sequence]; try < len(errs) {
					return errs[try]
				}
				return nil
			}
			up := newUploader(t.Context(), cp, Spec{ChunkMaxSize: 2, ChunkInterval: time.Hour, LogMaxSize: math.MaxUint64}, zap.NewNop())
			if tt.spool {
				entry, _ := entryFor(t)
				defer entry.Close()
				up.spoolTo(entry, 1<<20)
			}
			_, _ = up.front.Write([]byte("aabbcc"))
			up.flush()
			if lost, kept := up.owes(); lost != tt.failed-tt.kept || kept != tt.kept || up.failed != tt.failed {
				t.Errorf("%d failed, %d lost, %d kept", up.failed, lost, kept)
			}
			if whole, err := cp.log(); tt.log != "" && (err != nil || string(whole) != tt.log) {
				t.Errorf("%q, %v", whole, err)
			}
		})
	}
}
