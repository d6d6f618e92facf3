package spool

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func open(t *testing.T, dir string, logger *zap.Logger) *Spool {
	t.Helper()
	s, err := Open(dir, logger)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, s *Spool, id string) *Entry {
	t.Helper()
	e, err := s.Create(Job{
		ID: id, Token: "secret", Endpoint: "http://127.0.0.1/v3", Headers: map[string][]string{"Buildkite-A": {"b"}},
		ChunkMaxSize: 100, StartedAt: time.Now().UTC(), PID: os.Getpid(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func write(t *testing.T, e *Entry, sequence, offset uint64, data string) {
	t.Helper()
	if err := e.Append(sequence, offset, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// claimed claims every undelivered job, passes it to look, closes it, and
// returns the IDs.
func claimed(s *Spool, look func(*Entry)) (ids []string) {
	for e := range s.Undelivered() {
		ids = append(ids, e.Job.ID)
		if look != nil {
			look(e)
		}
		e.Close()
	}
	return ids
}

// TestSpool leaves undelivered chunks and a result in one process, and claims them
// in another one once the first has released the job.
func TestSpool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "spool")
	s, other := open(t, dir, nil), open(t, dir, nil)
	e := create(t, s, "J/1")
	write(t, e, 1, 0, "ab")
	write(t, e, 1, 0, "c")
	write(t, e, 2, 3, "def")
	write(t, e, 3, 6, "g")
	e.Discard(Chunk{2, 3, 3})
	want := Result{FinishRequest: wire.FinishRequest{ExitStatus: "7", FinishedAt: "2026-11-25T00:00:00Z", ChunksFailed: 2}}
	if err := e.SetResult(want); err != nil {
		t.Fatal(err)
	}
	if ids := claimed(other, nil); len(ids) > 0 {
		t.Fatalf("claimed %v from under the process that has it", ids)
	}
	e.Close()
	for range 2 { // Close releases the job
		ids := claimed(other, func(e *Entry) {
			chunks, lost := e.Chunks()
			if !slices.Equal(chunks, []Chunk{{1, 0, 3}, {3, 6, 1}}) || lost != 0 {
				t.Errorf("chunks %v, %d lost", chunks, lost)
			}
			if got, ok := e.Result(); !ok || got != want {
				t.Errorf("result %+v, %v", got, ok)
			}
			if e.Job.Token != "secret" || e.Job.Headers["Buildkite-A"][0] != "b" || e.Job.PID != os.Getpid() {
				t.Errorf("job %+v", e.Job)
			}
			if data, err := e.Read(chunks[0], nil); err != nil || string(data) != "abc" {
				t.Errorf("%q, %v", data, err)
			}
		})
		if !slices.Equal(ids, []string{"J/1"}) {
			t.Fatalf("claimed %v", ids)
		}
	}
	for e := range other.Undelivered() {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestNewestChunkStays discards the newest chunk, which stays until there is a
// newer one: it shows how long the log is.
func TestNewestChunkStays(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "spool"), nil)
	e := create(t, s, "J1")
	write(t, e, 1, 0, "ab")
	e.Discard(Chunk{1, 0, 2})
	if _, err := e.Read(Chunk{1, 0, 2}, nil); err != nil {
		t.Error(err)
	}
	write(t, e, 2, 2, "c")
	if _, err := e.Read(Chunk{1, 0, 2}, nil); err == nil {
		t.Error("a delivered chunk is left though there is a newer one")
	}
	if e.newest.Sequence != 2 || e.newest.End() != 3 {
		t.Errorf("the newest chunk is %+v", e.newest)
	}
	e.Close()
}

// TestPermissions checks that only the owner can read the spool.
func TestPermissions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := filepath.Join(t.TempDir(), "spool")
	e := create(t, open(t, dir, nil), "J1")
	defer e.Close()
	write(t, e, 1, 0, "x")
	if err := e.SetResult(Result{}); err != nil {
		t.Fatal(err)
	}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := os.Chmod(dir, 0o770); err != nil { //nolint:gosec // the test needs it
		t.Fatal(err)
	}
	if _, err := Open(dir, nil); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a spool that other users can write to: %v", err)
	}
}

// TestDamage damages files of a job: each unusable file is logged and set aside,
// and the rest is used.
func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage map[string]string // content by file; empty truncates
		chunks int
		lost   int
		result bool   // there is a result
		aside  string // a file that was set aside, or "." for the whole job
	}{
		{"none", nil, 2, 0, true, ""},
		{"job truncated", map[string]string{"job": header + "0000"}, 0, 0, false, "."},
		{"job empty", map[string]string{"job": ""}, 0, 0, false, "."},
		{"a result in place of the job", map[string]string{"job": string(must(encode(Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}})))}, 0, 0, false, "."},
		{"result truncated", map[string]string{"result": `{"exit`}, 2, 0, false, "bad-result"},
		{"no result yet", map[string]string{"result": ""}, 2, 0, false, ""},
		{"a truncated result that was not renamed", map[string]string{"result.new": `{"exit`}, 2, 0, true, ""},
		{"empty chunk", map[string]string{"chunk-1-0": ""}, 1, 1, true, ""},
		{"chunk too large", map[string]string{"chunk-1-0": strings.Repeat("x", 101)}, 1, 1, true, "bad-chunk-1-0"},
		{"chunk overlaps", map[string]string{"chunk-1-0": "more than it was"}, 1, 1, true, "bad-chunk-2-3"},
		{"two chunks with one sequence number", map[string]string{"chunk-1-0": "ab", "chunk-2-4": "y"}, 2, 1, true, "bad-chunk-2-4"},
		{"not a chunk name", map[string]string{"chunk-x": "y"}, 2, 1, true, "bad-chunk-x"},
		{"sequence number zero", map[string]string{"chunk-0-0": "y"}, 2, 1, true, "bad-chunk-0-0"},
		{"unknown file", map[string]string{"notes": "y"}, 2, 0, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.WarnLevel)
			dir := filepath.Join(t.TempDir(), "spool")
			s := open(t, dir, zap.New(core))
			e := create(t, s, "J1")
			write(t, e, 1, 0, "abc")
			write(t, e, 2, 3, "d")
			if err := e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}); err != nil {
				t.Fatal(err)
			}
			e.Close()
			for name, content := range tt.damage {
				if err := os.WriteFile(filepath.Join(e.dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ids := claimed(s, func(e *Entry) {
				chunks, lost := e.Chunks()
				if len(chunks) != tt.chunks || lost != tt.lost {
					t.Errorf("chunks %v, %d lost", chunks, lost)
				}
				if _, ok := e.Result(); ok != tt.result {
					t.Errorf("a result: %v", ok)
				}
			})
			aside := filepath.Join(e.dir, tt.aside)
			if tt.aside == "." {
				aside = filepath.Join(dir, damagedPrefix+filepath.Base(e.dir))
			}
			if (len(ids) == 0) != (tt.aside == ".") || tt.aside != "" && !exists(aside) || (logs.Len() > 0) != (tt.aside != "") {
				t.Errorf("claimed %v; %s exists: %v; logged %v", ids, aside, exists(aside), logs.All())
			}
			for _, line := range logs.All() {
				if strings.Contains(line.ContextMap()["reason"].(string), "secret") {
					t.Errorf("a token is in the log: %v", line)
				}
			}
		})
	}
}

// TestInterrupted checks directories whose creation or removal was interrupted:
// they are not jobs, and are removed, unless another process may be creating the
// job.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files []string
		age   time.Duration
		stays bool
	}{
		{"being created", []string{"lock", "job.new"}, 0, true},
		{"never created", []string{"lock", "job.new"}, 2 * time.Hour, false},
		{"being removed", []string{"gone", "chunk-1-0"}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			jobDir := filepath.Join(dir, "job-J1-1")
			if err := os.Mkdir(jobDir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range tt.files {
				if err := os.WriteFile(filepath.Join(jobDir, name), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			then := time.Now().Add(-tt.age)
			if err := os.Chtimes(jobDir, then, then); err != nil {
				t.Fatal(err)
			}
			if ids := claimed(open(t, dir, nil), nil); len(ids) > 0 || exists(jobDir) != tt.stays {
				t.Errorf("claimed %v; it exists: %v", ids, exists(jobDir))
			}
		})
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// A claim that meets a removal leaves no new file, which would keep the directory from
// being removed. The job's record is renamed first, and the claim may have seen it.
func TestClaimMakesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, nil)
	entry := create(t, s, "J1")
	entry.Close()
	if err := os.Remove(entry.path(lockFile)); err != nil {
		t.Fatal(err)
	}
	if ids := claimed(s, nil); len(ids) > 0 || exists(entry.path(lockFile)) {
		t.Errorf("claimed %v; there is a lock file: %v", ids, exists(entry.path(lockFile)))
	}
}
