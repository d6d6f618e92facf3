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
)

func open(t *testing.T, dir string, logger *zap.Logger) *Spool {
	t.Helper()
	s, err := Open(dir, logger)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t *testing.T, s *Spool, id string) *Entry {
	t.Helper()
	e, err := s.Begin(Job{
		ID: id, Token: "secret", Endpoint: "http://127.0.0.1/v3", Headers: map[string][]string{"Buildkite-A": {"b"}},
		ChunkMaxSize: 100, StartedAt: time.Now().UTC(), PID: os.Getpid(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func write(t *testing.T, e *Entry, number, offset uint64, data string) {
	t.Helper()
	if err := e.Append(number, offset, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// claimed are the ids of what is owed; each is handed to look, and closed.
func claimed(s *Spool, look func(*Entry)) (ids []string) {
	for e := range s.Owed() {
		ids = append(ids, e.Job.ID)
		if look != nil {
			look(e)
		}
		e.Close()
	}
	return ids
}

// What one process has left, and is not delivered, another one finds as it was,
// once it is let go.
func TestSpool(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "spool")
	s, other := open(t, dir, nil), open(t, dir, nil)
	e := begin(t, s, "J/1")
	write(t, e, 1, 0, "ab")
	write(t, e, 1, 0, "c")
	write(t, e, 2, 3, "def")
	write(t, e, 3, 6, "g")
	e.Delivered(Piece{2, 3, 3})
	want := Result{ExitStatus: "7", FinishedAt: time.Now().UTC(), ChunksFailed: 2}
	if err := e.SetResult(want); err != nil {
		t.Fatal(err)
	}
	if ids := claimed(other, nil); len(ids) > 0 {
		t.Fatalf("claimed %v from under the process that has it", ids)
	}
	e.Close()
	for range 2 { // closing gives it back
		ids := claimed(other, func(e *Entry) {
			pieces, lost := e.Pieces()
			if !slices.Equal(pieces, []Piece{{1, 0, 3}, {3, 6, 1}}) || lost != 0 {
				t.Errorf("pieces %v, %d lost", pieces, lost)
			}
			if got, ok := e.Result(); !ok || got != want {
				t.Errorf("result %+v, %v", got, ok)
			}
			if e.Job.Token != "secret" || e.Job.Headers["Buildkite-A"][0] != "b" || e.Job.PID != os.Getpid() {
				t.Errorf("job %+v", e.Job)
			}
			if data, err := e.Read(pieces[0], nil); err != nil || string(data) != "abc" {
				t.Errorf("%q, %v", data, err)
			}
		})
		if !slices.Equal(ids, []string{"J/1"}) {
			t.Fatalf("claimed %v", ids)
		}
	}
	for e := range other.Owed() {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// The newest piece stays until there is a newer one: it says where the output
// stands.
func TestNewestPieceStays(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "spool"), nil)
	e := begin(t, s, "J1")
	write(t, e, 1, 0, "ab")
	e.Delivered(Piece{1, 0, 2})
	if _, err := e.Read(Piece{1, 0, 2}, nil); err != nil {
		t.Error(err)
	}
	write(t, e, 2, 2, "c")
	if _, err := e.Read(Piece{1, 0, 2}, nil); err == nil {
		t.Error("a delivered piece is left though there is a newer one")
	}
	if number, end := e.End(); number != 2 || end != 3 {
		t.Errorf("the output ends at %d, with piece %d", end, number)
	}
	e.Close()
}

// What is in the spool is for its owner's eyes.
func TestPermissions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("there are no modes")
	}
	dir := filepath.Join(t.TempDir(), "spool")
	e := begin(t, open(t, dir, nil), "J1")
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
	if err := os.Chmod(dir, 0o770); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	if _, err := Open(dir, nil); err == nil || !strings.Contains(err.Error(), "chmod 700") {
		t.Errorf("a spool that others can write to: %v", err)
	}
}

// Whatever has become of the files: a line for what cannot be used, and the
// rest is used.
func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage map[string]string // content by file; empty truncates
		pieces int
		lost   int
		seen   bool   // there is a result
		aside  string // a file that was set aside, or "." for the whole job
	}{
		{"none", nil, 2, 0, true, ""},
		{"job half written", map[string]string{"job": header + "0000"}, 0, 0, false, "."},
		{"job empty", map[string]string{"job": ""}, 0, 0, false, "."},
		{"job of another kind", map[string]string{"job": string(must(encode(Result{ExitStatus: "0"})))}, 0, 0, false, "."},
		{"result half written", map[string]string{"result": `{"exit`}, 2, 0, false, "bad-result"},
		{"no result yet", map[string]string{"result": ""}, 2, 0, false, ""},
		{"result beside its place", map[string]string{"result.new": `{"exit`}, 2, 0, true, ""},
		{"empty piece", map[string]string{"chunk-1-0": ""}, 1, 1, true, ""},
		{"piece too large", map[string]string{"chunk-1-0": strings.Repeat("x", 101)}, 1, 1, true, "bad-chunk-1-0"},
		{"piece overlaps", map[string]string{"chunk-1-0": "more than it was"}, 1, 1, true, "bad-chunk-2-3"},
		{"two of a number", map[string]string{"chunk-1-0": "ab", "chunk-2-4": "y"}, 2, 1, true, "bad-chunk-2-4"},
		{"no piece", map[string]string{"chunk-x": "y"}, 2, 1, true, "bad-chunk-x"},
		{"number zero", map[string]string{"chunk-0-0": "y"}, 2, 1, true, "bad-chunk-0-0"},
		{"not one of ours", map[string]string{"notes": "y"}, 2, 0, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.WarnLevel)
			dir := filepath.Join(t.TempDir(), "spool")
			s := open(t, dir, zap.New(core))
			e := begin(t, s, "J1")
			write(t, e, 1, 0, "abc")
			write(t, e, 2, 3, "d")
			if err := e.SetResult(Result{ExitStatus: "0"}); err != nil {
				t.Fatal(err)
			}
			e.Close()
			for name, content := range tt.damage {
				if err := os.WriteFile(filepath.Join(e.dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			ids := claimed(s, func(e *Entry) {
				pieces, lost := e.Pieces()
				if len(pieces) != tt.pieces || lost != tt.lost {
					t.Errorf("pieces %v, %d lost", pieces, lost)
				}
				if _, seen := e.Result(); seen != tt.seen {
					t.Errorf("a result: %v", seen)
				}
			})
			aside := filepath.Join(e.dir, tt.aside)
			if tt.aside == "." {
				aside = filepath.Join(dir, badPrefix+filepath.Base(e.dir))
			}
			if (len(ids) == 0) != (tt.aside == ".") || tt.aside != "" && !exists(aside) || (logs.Len() > 0) != (tt.aside != "") {
				t.Errorf("claimed %v; %s is there: %v; said %v", ids, aside, exists(aside), logs.All())
			}
			for _, line := range logs.All() {
				if strings.Contains(line.ContextMap()["because"].(string), "secret") {
					t.Errorf("a token is in the log: %v", line)
				}
			}
		})
	}
}

// A job whose making or removal was interrupted is no job, and its folder goes:
// at once if it was to be removed, later if another process may be about to
// fill it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files []string
		age   time.Duration
		stays bool
	}{
		{"being made", []string{"lock", "job.new"}, 0, true},
		{"never made", []string{"lock", "job.new"}, 2 * time.Hour, false},
		{"being removed", []string{"gone", "chunk-1-0"}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(dir, "job-J1-1")
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, name := range tt.files {
				if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			then := time.Now().Add(-tt.age)
			if err := os.Chtimes(folder, then, then); err != nil {
				t.Fatal(err)
			}
			if ids := claimed(open(t, dir, nil), nil); len(ids) > 0 || exists(folder) != tt.stays {
				t.Errorf("claimed %v; it is there: %v", ids, exists(folder))
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
