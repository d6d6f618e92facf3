package spool

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

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

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
