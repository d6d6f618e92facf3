package process

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadSmall reads files of all sizes around that of the buffer, and files that the kernel
// makes up.
func TestReadSmall(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	paths := []string{"/proc/self/environ", "/proc/self/limits", "/proc/self/cgroup", "/proc/version", "/proc/filesystems"}
	for _, size := range []int{0, 1, smallFile - 1, smallFile, smallFile + 1, 2 * smallFile, 10 * smallFile} {
		path := filepath.Join(dir, strconv.Itoa(size))
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, path := range paths {
		want, err := os.ReadFile(path) //nolint:gosec // named above
		if err != nil {
			t.Fatal(err)
		}
		got, err := readSmall(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", path, got, err, want)
		}
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if got, err := readSmallAt(fd, "1", make([]byte, smallFile)); err != nil || string(got) != "x" {
		t.Errorf("below a directory: %q, %v", got, err)
	}
	if _, err := readSmallAt(fd, "none", nil); !os.IsNotExist(err) {
		t.Errorf("a file that is missing: %v", err)
	}
}

// TestReadSmallList reads a list of the kernel with more entries than fit in the buffer.
func TestReadSmallList(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/proc/self/maps", "/proc/self/mountinfo"} {
		got, err := readSmall(path)
		if err != nil || len(got) > 0 && got[len(got)-1] != '\n' {
			t.Errorf("%s: the last line of %d bytes is cut, %v", path, len(got), err)
		}
	}
}
