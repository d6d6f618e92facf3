//go:build unix

package spool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// life is what a process does with a job, step by step, and what is left of it if the
// process is killed after the step.
//
//nolint:gochecknoglobals // a table, never written
var life = []struct {
	name   string
	do     func(*Entry) error
	chunks []uint64 // sequence numbers of those that are sent again
	result string   // exit status; empty if the end was not seen
	gone   bool
}{
	{name: "create", do: func(*Entry) error { return nil }},
	{name: "output", do: func(e *Entry) error { return e.Append(1, 0, []byte("one")) }, chunks: []uint64{1}},
	{name: "more of the chunk", do: func(e *Entry) error { return e.Append(1, 0, []byte("more")) }, chunks: []uint64{1}},
	{name: "the next chunk", do: func(e *Entry) error { return e.Append(2, 7, []byte("two")) }, chunks: []uint64{1, 2}},
	{name: "the first is delivered", do: discard(Chunk{1, 0, 7}), chunks: []uint64{2}},
	{name: "the newest is delivered", do: discard(Chunk{2, 7, 3}), chunks: []uint64{2}},
	{name: "a long log", do: func(e *Entry) error { return e.Append(3, 10, make([]byte, shortLog)) }, chunks: []uint64{3}},
	{name: "a chunk file", do: func(e *Entry) error { return e.Append(4, 10+shortLog, []byte("four")) }, chunks: []uint64{3, 4}},
	{name: "the end", do: setResult("7", 1), chunks: []uint64{3, 4}, result: "7"},
	{name: "sync", do: (*Entry).Sync, chunks: []uint64{3, 4}, result: "7"},
	{name: "all is delivered", do: func(e *Entry) error {
		e.Discard(Chunk{3, 10, shortLog})
		e.Discard(Chunk{4, 10 + shortLog, 4})
		return nil
	}, chunks: []uint64{4}, result: "7"},
	{name: "another result", do: setResult("8", 2), chunks: []uint64{4}, result: "8"},
	{name: "half removed", do: func(e *Entry) error { return e.file.Truncate(0) }, gone: true},
	{name: "removed", do: func(e *Entry) error { return os.RemoveAll(e.logDir()) }, gone: true},
}

func discard(c Chunk) func(*Entry) error {
	return func(e *Entry) error {
		e.Discard(c)
		return nil
	}
}

func setResult(status string, failed int) func(*Entry) error {
	return func(e *Entry) error {
		return e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: status, ChunksFailed: failed}})
	}
}

// liveUntil does the steps of a life up to one of them.
func liveUntil(dir string, last int) error {
	s, err := Open(dir, nil)
	if err != nil {
		return err
	}
	e, err := s.Create(Job{ID: "J1", Token: "secret", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1 << 20})
	for _, step := range life[:last+1] {
		err = errors.Join(err, step.do(e))
	}
	return err
}

// TestCrash kills a process after each step of a job's life. The next one finds what it
// has left, and nothing is left behind.
func TestCrash(t *testing.T) {
	t.Parallel()
	for i, step := range life {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "spool")
			cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // this program
			cmd.Env = append(os.Environ(), fmt.Sprintf("SPOOL_TEST_CRASH=%s %d", dir, i))
			output, err := cmd.CombinedOutput()
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("%v: %s", err, output)
			}
			s := open(t, dir, nil)
			for e := range s.Undelivered() {
				var got []uint64
				chunks, lost := e.Chunks()
				for _, c := range chunks {
					got = append(got, c.Sequence)
				}
				result, _ := e.Result()
				if !slices.Equal(got, step.chunks) || lost != 0 || result.ExitStatus != step.result || step.gone {
					t.Errorf("chunks %v, %d lost, result %+v", got, lost, result)
				}
				if err := e.Remove(); err != nil {
					t.Error(err)
				}
				step.gone = true // as expected from now on
			}
			if err := s.Close(); err != nil || !step.gone {
				t.Errorf("the job was found: %v; %v", step.gone, err)
			}
			if left := names(t, dir); !slices.Equal(left, []string{"lock"}) {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// crash is the process that kills itself.
func crash(arguments string) error {
	dir, step, _ := strings.Cut(arguments, " ")
	last, err := strconv.Atoi(step)
	if err == nil {
		err = liveUntil(dir, last)
	}
	if err == nil {
		err = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	return err
}

// TestCutShort reads each beginning of a job's file, as a crash in any write leaves it:
// the job is found as soon as its record is complete, and what is found is right.
func TestCutShort(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir, nil)
	e := create(t, s, "J1")
	jobSize := e.size
	write(t, e, 1, 0, "one")
	write(t, e, 1, 0, "more")
	write(t, e, 2, 7, "two")
	e.Discard(Chunk{1, 0, 7})
	if err := e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: "7"}}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	whole, err := os.ReadFile(e.path())
	if err != nil {
		t.Fatal(err)
	}
	for size := range len(whole) + 1 {
		path := e.path()
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		found := false
		for again := range s.Undelivered() {
			found = true
			result, ended := again.Result()
			if ended != (size == len(whole)) || ended && result.ExitStatus != "7" {
				t.Errorf("%d of %d bytes: result %+v, %v", size, len(whole), result, ended)
			}
			chunks, _ := again.Chunks()
			for _, c := range chunks {
				data, err := again.Read(c, nil)
				if log := "onemoretwo"; err != nil || log[c.Offset:c.End()] != string(data) {
					t.Errorf("%d of %d bytes: chunk %+v is %q, %v", size, len(whole), c, data, err)
				}
			}
			again.Close()
		}
		if found != (int64(size) >= jobSize) {
			t.Errorf("%d of %d bytes: found %v", size, len(whole), found)
		}
	}
	_ = s.Close()
}
