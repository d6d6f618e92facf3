package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sync/errgroup"

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
// in another one once the first has ended.
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
	if ids := append(claimed(other, nil), claimed(s, nil)...); len(ids) > 0 {
		t.Fatalf("claimed %v while an entry holds it", ids)
	}
	e.Close()
	if ids := claimed(other, nil); len(ids) > 0 {
		t.Fatalf("claimed %v from a process that lives", ids)
	}
	check := func(e *Entry) {
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
	}
	for _, by := range []*Spool{s, s, other, other} { // Close releases the job
		if by == other {
			_ = s.Close() // a second time it does nothing
		}
		if ids := claimed(by, check); !slices.Equal(ids, []string{"J/1"}) {
			t.Fatalf("claimed %v", ids)
		}
	}
	for e := range other.Undelivered() {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if left := names(t, dir); !slices.Equal(left, []string{"lock"}) {
		t.Errorf("left: %v", left)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		all = append(all, file.Name())
	}
	return all
}

// TestFiles counts the files of a job: one, unless the log is long, and then one for
// each chunk that is not delivered. The newest chunk stays until there is a newer one.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir, nil)
	e := create(t, s, "J1")
	var want []byte
	var offset uint64
	for sequence := uint64(1); sequence <= 1500; sequence++ {
		data := strings.Repeat(string(rune('a'+sequence%26)), 90)
		write(t, e, sequence, offset, data)
		if e.log.hasDir {
			break
		}
		want = append(want, data...)
		offset += 90
	}
	last := e.log.newest.Sequence
	if len(want) < shortLog/2 || len(want) > shortLog {
		t.Errorf("%d bytes of the log are in the job's file", len(want))
	}
	logDir := filepath.Join(dir, logPrefix+e.name)
	if files := names(t, dir); len(files) != 4 || len(names(t, logDir)) != 1 {
		t.Errorf("files %v", files)
	}
	write(t, e, last+1, offset+90, "x")
	for sequence := uint64(1); sequence <= last+1; sequence++ {
		e.Discard(Chunk{sequence, (sequence - 1) * 90, 90})
	}
	if files := names(t, logDir); !slices.Equal(files, []string{chunkName(last+1, offset+90)}) {
		t.Errorf("after all chunks are delivered: %v", files)
	}
	write(t, e, last+2, offset+91, "y")
	if files := names(t, logDir); !slices.Equal(files, []string{chunkName(last+2, offset+91)}) {
		t.Errorf("with a newer chunk: %v", files)
	}
	e.Close()
	_ = s.Close()
	s = open(t, dir, nil)
	for e := range s.Undelivered() {
		if chunks, lost := e.Chunks(); !slices.Equal(chunks, []Chunk{{last + 2, offset + 91, 1}}) || lost != 0 {
			t.Errorf("chunks %v, %d lost", chunks, lost)
		}
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if files := names(t, dir); len(files) != 3 || e.size == 0 {
		t.Errorf("left: %v", files)
	}
	_ = s.Close()
	if files := names(t, dir); len(files) != 1 {
		t.Errorf("left: %v", files)
	}
}

// TestOrphanedLog leaves the log of a job whose process was killed between the two
// steps of its removal.
func TestOrphanedLog(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir, nil)
	e := create(t, s, "J1")
	if err := os.Mkdir(e.logDir(), ownerOnly); err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(dir, logPrefix+"J0-1")
	if err := os.Mkdir(orphan, ownerOnly); err != nil {
		t.Fatal(err)
	}
	other := open(t, dir, nil)
	if ids := claimed(other, nil); len(ids) > 0 || exists(orphan) || !exists(e.logDir()) {
		t.Errorf("claimed %v; files %v", ids, names(t, dir))
	}
	e.Close()
	_, _ = s.Close(), other.Close()
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
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

// TestDamage damages the files of a job: what cannot be used is logged and left out,
// and the rest is used.
func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage func(file string) string // of the job's file
		files  map[string]string        // in the directory of the log
		chunks int
		lost   int
		result bool   // there is a result
		aside  string // a file that was set aside, or "." for the whole job
		warns  bool
	}{
		{name: "none", chunks: 2, result: true},
		{name: "empty", damage: func(string) string { return "" }, aside: "removed"},
		{name: "part of a header", damage: func(file string) string { return file[:10] }, aside: "removed"},
		{name: "job truncated", damage: func(file string) string { return file[:50] }, aside: "."},
		{name: "zeros", damage: func(file string) string { return strings.Repeat("\x00", len(file)) }, aside: "."},
		{name: "job changed", damage: func(file string) string { return strings.Replace(file, "secret", "Secret", 1) }, aside: "."},
		{
			name: "a result in place of the job", aside: ".",
			damage: func(file string) string { return file[strings.LastIndex(file, header):] },
		},
		{name: "result truncated", damage: func(file string) string { return file[:len(file)-1] }, chunks: 2, warns: true},
		{
			name: "a chunk changed: what follows is lost", chunks: 1, warns: true,
			damage: func(file string) string { return strings.Replace(file, "def", "dEf", 1) },
		},
		{name: "empty chunk", files: map[string]string{"chunk-3-6": ""}, chunks: 2, lost: 1, result: true},
		{name: "one more chunk", files: map[string]string{"chunk-3-6": "ghi"}, chunks: 3, result: true},
		{name: "chunk too large", files: map[string]string{"chunk-3-6": strings.Repeat("x", 101)}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-3-6"},
		{name: "chunk overlaps", files: map[string]string{"chunk-3-5": "x"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-3-5"},
		{name: "two chunks with one sequence number", files: map[string]string{"chunk-2-3": "x"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-2-3"},
		{name: "not a chunk name", files: map[string]string{"chunk-x": "y"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-x"},
		{name: "sequence number zero", files: map[string]string{"chunk-0-0": "y"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-0-0"},
		{name: "unknown file", files: map[string]string{"notes": "y"}, chunks: 2, result: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.WarnLevel)
			dir := filepath.Join(t.TempDir(), "spool")
			s := open(t, dir, zap.New(core))
			e := create(t, s, "J1")
			write(t, e, 1, 0, "abc")
			write(t, e, 2, 3, "def")
			if err := e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}); err != nil {
				t.Fatal(err)
			}
			e.Close()
			damage(t, e, tt.damage, tt.files)
			ids := claimed(s, func(e *Entry) {
				chunks, lost := e.Chunks()
				if len(chunks) != tt.chunks || lost != tt.lost {
					t.Errorf("chunks %v, %d lost", chunks, lost)
				}
				if _, ok := e.Result(); ok != tt.result {
					t.Errorf("a result: %v", ok)
				}
			})
			aside, unusable := filepath.Join(e.logDir(), tt.aside), tt.aside == "." || tt.aside == "removed"
			switch tt.aside {
			case ".":
				aside = filepath.Join(dir, damagedPrefix+filepath.Base(e.path()))
			case "removed":
				aside = dir
			}
			if (len(ids) == 0) != unusable || exists(e.path()) == unusable || tt.aside != "" && !exists(aside) {
				t.Errorf("claimed %v; files %v", ids, names(t, dir))
			}
			if wantLog := tt.warns || tt.aside != "" && tt.aside != "removed"; (logs.Len() > 0) != wantLog {
				t.Errorf("logged %v", logs.All())
			}
			for _, line := range logs.All() {
				if reason, _ := line.ContextMap()["reason"].(string); strings.Contains(reason, "ecret") {
					t.Errorf("a token is in the log: %v", line)
				}
			}
			_ = s.Close()
		})
	}
}

// damage changes the files of a job that no entry holds.
func damage(t *testing.T, e *Entry, change func(string) string, files map[string]string) {
	t.Helper()
	if change != nil {
		content, err := os.ReadFile(e.path())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.path(), []byte(change(string(content))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Mkdir(e.logDir(), ownerOnly)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(e.logDir(), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReuse makes and removes jobs, one after the other and at once: no more files are
// made than jobs are in the spool at the same time, and nothing of one is in the next.
func TestReuse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir, nil)
	paths := map[string]bool{}
	for range 5 {
		e := create(t, s, "J1")
		write(t, e, 1, 0, strings.Repeat("x", 100))
		paths[e.path()] = true
		if err := e.Remove(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(e.path()); err != nil || info.Size() != 0 {
			t.Errorf("after the job: %v, %v", info, err)
		}
	}
	if len(paths) != 1 {
		t.Errorf("files %v", paths)
	}
	var all []*Entry
	for range maxFree + 2 {
		all = append(all, create(t, s, "J2"))
	}
	for _, e := range all {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if files := names(t, dir); len(files) != maxFree+2 { // with the locks
		t.Errorf("%d files are kept", len(files)-2)
	}
	e := create(t, s, "J3")
	e.Close()
	if ids := claimed(s, nil); !slices.Equal(ids, []string{"J3"}) {
		t.Errorf("claimed %v", ids)
	}
	_ = s.Close()
	if files := names(t, dir); len(files) != 2 { // the job and a lock
		t.Errorf("left: %v", files)
	}
}

// TestSync syncs several entries at once, in fewer passes than calls.
func TestSync(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	s := open(t, filepath.Join(t.TempDir(), "spool"), zap.New(core))
	var entries []*Entry
	for range 40 {
		entries = append(entries, create(t, s, "J"))
	}
	var calls errgroup.Group
	waiting := func() int {
		s.commits.mu.Lock()
		defer s.commits.mu.Unlock()
		s.commits.running = true // as far as the calls know
		return len(s.commits.waiting)
	}
	waiting()
	for _, e := range entries {
		calls.Go(e.Sync)
	}
	for waiting() < len(entries) {
		runtime.Gosched()
	}
	s.commits.run()
	if err := calls.Wait(); err != nil {
		t.Error(err)
	}
	jobs, passes := int64(0), logs.FilterMessage("synced undelivered job results to disk").All()
	for _, line := range passes {
		jobs += line.ContextMap()["jobs"].(int64)
	}
	if jobs != 40 || len(passes) == 40 {
		t.Errorf("%d jobs in %d passes", jobs, len(passes))
	}
	for _, e := range entries {
		e.Close()
		if err := e.Sync(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a closed entry: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestCreateWhileUndeliveredAreListed adds jobs while another goroutine claims what is
// undelivered: a job that is being added is not, and its file stays.
func TestCreateWhileUndeliveredAreListed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	created := make(chan struct{})
	var listing errgroup.Group
	listing.Go(func() error {
		for {
			if ids := claimed(s, nil); len(ids) > 0 {
				return fmt.Errorf("claimed %v", ids)
			}
			select {
			case <-created:
				return nil
			default:
			}
		}
	})
	const jobs = 150
	entries := make([]*Entry, 0, jobs)
	for i := range jobs {
		e := create(t, s, strconv.Itoa(i))
		entries = append(entries, e)
		if !exists(e.path()) {
			t.Errorf("the file of job %d is gone", i)
		}
	}
	close(created)
	if err := listing.Wait(); err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
