package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// storeMany stores so many jobs at a time that most are stored in batches, and returns
// them.
func storeMany(t *testing.T, s *Store, prefix string) []record.Job {
	t.Helper()
	stored := make([]record.Job, 200)
	var all errgroup.Group
	for i := range stored {
		all.Go(func() (err error) {
			stored[i], err = s.PutJob(t.Context(), record.Job{
				ID: fmt.Sprint(prefix, i), Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateQueued},
			})
			return err
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	return stored
}

// mustRead fails the test unless the store has the jobs.
func mustRead(t *testing.T, s *Store, jobs []record.Job) {
	t.Helper()
	for _, want := range jobs {
		if got, err := s.Job(t.Context(), want.ID); err != nil || got.Revision != want.Revision {
			t.Errorf("job %s is at %d, %v; want %d", want.ID, got.Revision, err, want.Revision)
		}
	}
}

// skipWithoutMemory skips a test on a system on which batches are collected on disk.
func skipWithoutMemory(t *testing.T) {
	t.Helper()
	memory := memoryFolder()
	if memory == "" {
		t.Skip("the system has no folder in memory")
	}
	if free, err := freeBytes(memory); err != nil || free < 2*minBatchRoom {
		t.Skipf("%s has %d bytes free: %v", memory, free, err)
	}
}

// Batches are collected in memory from the first one on, by this server and by the one
// that is started in its place, and nothing is left there at the end.
func TestBatchesAreCollectedInMemory(t *testing.T) {
	skipWithoutMemory(t)
	dir := t.TempDir()
	s := openTest(t, Options{DataDir: dir})
	if folder := s.embedded.stagedBatches(); folder != "" {
		t.Errorf("%s is used before there was a batch", folder)
	}
	commit := s.group.batch
	s.group.batch = func(messages []*nats.Msg) (uint64, error) {
		last, err := commit(messages)
		if left, readErr := os.ReadDir(s.embedded.stagedBatches()); readErr != nil || len(left) != 0 {
			t.Errorf("after a batch there are %v in the folder in memory: %v", left, readErr)
		}
		return last, err
	}
	jobs := storeMany(t, s, "a")
	first := s.embedded.stagedBatches()
	if first == "" {
		t.Fatal("batches are collected on disk")
	}
	s.restart(t.Context())
	jobs = append(jobs, storeMany(t, s, "b")...)
	second := s.embedded.stagedBatches()
	mustRead(t, s, jobs)
	s.Close()
	for _, folder := range []string{first, second, s.embedded.batches()} {
		if _, err := os.Lstat(folder); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q is left: %v", folder, err)
		}
	}
	mustRead(t, openTest(t, Options{DataDir: dir}), jobs)
}

// What was acknowledged is in the data directory alone: a machine that loses its power has
// nothing in memory.
func TestPowerLoss(t *testing.T) {
	skipWithoutMemory(t)
	dir := t.TempDir()
	s := openTest(t, Options{DataDir: dir})
	jobs := storeMany(t, s, "a")
	if s.embedded.stagedBatches() == "" {
		t.Fatal("batches are collected on disk")
	}
	after := t.TempDir()
	if err := os.CopyFS(after, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Rel(dir, s.embedded.batches())
	must(t, err)
	batches := filepath.Join(after, path)
	must(t, os.Remove(batches)) // the copy names the folder of the server that runs
	must(t, os.Symlink(filepath.Join(memoryFolder(), stagingPrefix+"gone"), batches))
	again := openTest(t, Options{DataDir: after})
	mustRead(t, again, jobs)
	mustRead(t, again, storeMany(t, again, "b"))
}

// A folder in memory that a killed process has left is removed by the next start. What
// another link leads to is left alone, such as the folder of a directory that was copied.
func TestLeftBatches(t *testing.T) {
	skipWithoutMemory(t)
	dir := t.TempDir()
	s := openTest(t, Options{DataDir: dir})
	jobs := storeMany(t, s, "a")
	s.Close()
	left := filepath.Join(memoryFolder(), s.embedded.stagingName()+rand.Text())
	ofCopy := filepath.Join(memoryFolder(), stagingPrefix+rand.Text())
	other := filepath.Join(t.TempDir(), "other")
	for _, folder := range []string{left, ofCopy, other} {
		must(t, os.Mkdir(folder, 0o700))
		t.Cleanup(func() { _ = os.RemoveAll(folder) })
	}
	for _, folder := range []string{left, ofCopy, other} {
		must(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
		must(t, os.Symlink(folder, s.embedded.batches()))
		again := openTest(t, Options{DataDir: dir})
		mustRead(t, again, jobs)
		again.Close()
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", left, err)
	}
	for _, folder := range []string{ofCopy, other} {
		if _, err := os.Stat(filepath.Join(folder, "file")); err != nil {
			t.Errorf("a folder that is not ours was changed: %v", err)
		}
	}
}

// After a restart of the machine every user can make a folder with the name of the one that
// was in memory: the server takes no batches from it, and does not touch it.
func TestForeignBatches(t *testing.T) {
	skipWithoutMemory(t)
	for name, foreign := range map[string]func(t *testing.T, folder string){
		"others may write": func(t *testing.T, folder string) {
			t.Helper()
			must(t, os.Chmod(folder, 0o777)) //nolint:gosec // what is tested
		},
		"of another user": func(t *testing.T, folder string) {
			t.Helper()
			const nobody = 65534
			if err := os.Chown(folder, nobody, nobody); err != nil {
				t.Skip(err)
			}
		},
		"a link": func(t *testing.T, folder string) {
			t.Helper()
			elsewhere := filepath.Join(t.TempDir(), "elsewhere")
			must(t, os.Rename(folder, folder+"-moved"))
			t.Cleanup(func() { _ = os.RemoveAll(folder + "-moved") })
			must(t, os.Mkdir(elsewhere, 0o700))
			must(t, os.WriteFile(filepath.Join(elsewhere, "file"), nil, 0o600))
			must(t, os.Symlink(elsewhere, folder))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openTest(t, Options{DataDir: dir})
			jobs := storeMany(t, s, "a")
			s.Close()
			folder := filepath.Join(memoryFolder(), s.embedded.stagingName()+rand.Text())
			must(t, os.Mkdir(folder, 0o700))
			t.Cleanup(func() { _ = os.RemoveAll(folder) })
			must(t, os.WriteFile(filepath.Join(folder, "file"), nil, 0o600))
			foreign(t, folder)
			must(t, os.Symlink(folder, s.embedded.batches()))
			again := openTest(t, Options{DataDir: dir})
			if used := again.embedded.stagedBatches(); used == folder {
				t.Errorf("the server takes batches from %s", used)
			}
			mustRead(t, again, jobs)
			mustRead(t, again, storeMany(t, again, "b"))
			again.Close()
			if _, err := os.Stat(filepath.Join(folder, "file")); err != nil {
				t.Errorf("a folder that is not ours was changed: %v", err)
			}
		})
	}
}
