package spool

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

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
