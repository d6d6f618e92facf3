package logpipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// entryFor returns an entry in a new spool, and the directory of the spool.
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
	if entry, err = s.Create(spool.Job{ID: "J1", Token: "secret", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: MaxChunk}); err != nil {
		t.Fatal(err)
	}
	return entry, dir
}

// breakSpool makes every write of a chunk fail but that of the first, as a full disk does:
// a file is in the place of the directory for chunks.
func breakSpool(t *testing.T, dir string) {
	t.Helper()
	entries, err := filepath.Glob(filepath.Join(dir, "job-*"))
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	_, name, _ := strings.Cut(strings.TrimPrefix(filepath.Base(entries[0]), "job-"), "-")
	if err := os.WriteFile(filepath.Join(dir, "log-"+name), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDropOutput writes while no upload ends. The job is blocked for a minute in
// all; then output is dropped, the log says so at that place, and everything before
// it is uploaded, from memory or from the spool.
func TestDropOutput(t *testing.T) {
	t.Parallel()
	const (
		limit = 1 << 20
		size  = 40 << 20 // of the output
	)
	tests := []struct {
		name   string
		disk   int64  // of the spool; 0: none
		broken bool   // every write fails but that of the first chunk
		kept   int    // chunks before the gap
		note   string // part of the note at the gap; empty: no gap
	}{
		{"no spool", 0, false, maxMemory / limit, "setting spool-size"},
		{"spool of 20 MiB", 20 << 20, false, 20, "setting spool-size"},
		{"spool that takes all", 64 << 20, false, size / limit, ""},
		{"broken spool", 64 << 20, true, maxMemory / limit, "not a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				cp := &recorder{onChunk: func(context.Context, wire.Chunk) error {
					<-release
					return nil
				}}
				config := configFor(cp, limit)
				if tt.disk > 0 {
					entry, dir := entryFor(t)
					defer entry.Close()
					if tt.broken {
						breakSpool(t, dir)
					}
					config.Spool, config.SpoolSize = entry, tt.disk
				}
				p := New(t.Context(), config)
				start := time.Now()
				block := bytes.Repeat([]byte("0123456789abcde\n"), 4<<10)
				for range size / len(block) {
					_, _ = p.Write(block)
				}
				wantHeld := maxHold
				if tt.note == "" {
					wantHeld = 0
				}
				if held := time.Since(start); held != wantHeld {
					t.Errorf("the job was blocked for %v, want %v", held, wantHeld)
				}
				close(release)
				p.Flush()
				whole, err := cp.log()
				if err != nil {
					t.Fatal(err)
				}
				output, rest, found := bytes.Cut(whole, []byte("switchyard: "))
				if found != (tt.note != "") || !bytes.Contains(rest, []byte(tt.note)) {
					t.Errorf("the log has %q", rest)
				}

				// A broken spool is noticed at the second chunk; memory has room for the first, too.
				if len(output) != tt.kept*limit {
					t.Errorf("%d bytes before the gap, want %d", len(output), tt.kept*limit)
				}
				cut := uint64(size - len(output))
				if want := fmt.Sprintf("%d bytes of output are missing here", cut); found && !bytes.HasPrefix(rest, []byte(want)) {
					t.Errorf("the log has %q, want %s", rest, want)
				}
				if got := p.Stats(); got.Failed != int(cut/limit) || got.Bytes != uint64(len(whole))+cut {
					t.Errorf("%+v, with %d bytes dropped and a log of %d", got, cut, len(whole))
				}
			})
		})
	}
}

// TestResumeAfterGap frees room after a gap: output is accepted again, and the log
// has a note at the place of the gap.
func TestResumeAfterGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 20
		release := make(chan struct{})
		cp := &recorder{onChunk: func(context.Context, wire.Chunk) error {
			<-release
			return nil
		}}
		p := newPipe(t.Context(), cp, limit)
		_, _ = p.Write(bytes.Repeat([]byte("a"), maxMemory+limit)) // the last chunk is dropped
		if p.queue.gap != limit {
			t.Fatalf("%d bytes dropped, want %d", p.queue.gap, limit)
		}
		release <- struct{}{}
		synctest.Wait()
		_, _ = p.Write([]byte("b")) // an eighth must be free, beside the chunk's own place
		if p.queue.gap != limit+1 {
			t.Fatalf("%d bytes dropped, want %d", p.queue.gap, limit+1)
		}
		close(release)
		synctest.Wait()
		_, _ = p.Write([]byte("c\n"))
		p.Flush()
		whole, err := cp.log()
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("a\nswitchyard: %d bytes of output are missing here: they were written faster than "+
			"they were uploaded, and there was no room to keep them on the agent's disk (setting spool-size)\nc\n", limit+1)
		if got := string(bytes.TrimLeft(whole, "a")); got != want[1:] || p.Stats().Failed != 2 {
			t.Errorf("%q, %+v", got, p.Stats())
		}
	})
}

// TestRetryAtFlush fails uploads: a chunk in the spool is tried again at the flush,
// unless it was refused.
func TestRetryAtFlush(t *testing.T) {
	t.Parallel()
	unavailable, refused := errors.New("no response"), fmt.Errorf("%w: 422", wire.ErrRefused)
	tests := []struct {
		name         string
		spool        bool
		errs         map[uint64][]error // by chunk: of each try
		failed, kept int
		log          string
	}{
		{"succeeds at the second try", true, map[uint64][]error{2: {unavailable}}, 0, 0, "aabbcc"},
		{"fails twice", true, map[uint64][]error{2: {unavailable, unavailable, nil}}, 1, 1, ""},
		{"refused", true, map[uint64][]error{2: {refused, nil}}, 1, 0, ""},
		{"no spool", false, map[uint64][]error{2: {unavailable, nil}}, 1, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tries := map[uint64]int{}
			cp := &recorder{}
			cp.onChunk = func(_ context.Context, c wire.Chunk) error {
				cp.mu.Lock()
				defer cp.mu.Unlock()
				try := tries[c.Sequence]
				tries[c.Sequence]++
				if errs := tt.errs[c.Sequence]; try < len(errs) {
					return errs[try]
				}
				return nil
			}
			config := configFor(cp, 2)
			if tt.spool {
				entry, _ := entryFor(t)
				defer entry.Close()
				config.Spool, config.SpoolSize = entry, 1<<20
			}
			p := New(t.Context(), config)
			_, _ = p.Write([]byte("aabbcc"))
			p.Flush()
			if got := p.Stats(); got.Kept != tt.kept || got.Failed != tt.failed {
				t.Errorf("%+v", got)
			}
			if whole, err := cp.log(); tt.log != "" && (err != nil || string(whole) != tt.log) {
				t.Errorf("%q, %v", whole, err)
			}
		})
	}
}
