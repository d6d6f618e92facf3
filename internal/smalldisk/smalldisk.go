// Package smalldisk mounts disks of a few megabytes for tests of a full disk, and
// fills them. Only root may do that, on Linux: elsewhere the tests are skipped,
// unless the variable SWITCHYARD_REQUIRE_DISK forbids it.
package smalldisk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// require is the variable with which CI forbids to skip the tests.
const require = "SWITCHYARD_REQUIRE_DISK"

// Mount mounts a disk of the given size in MiB, until the end of the test, and
// returns its directory.
func Mount(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	err := mount(dir, fmt.Sprintf("size=%dm,mode=700", size))
	switch {
	case err != nil && os.Getenv(require) != "":
		t.Fatalf("failed to mount a small disk, which %s requires: %v", require, err)
	case err != nil:
		t.Skipf("failed to mount a small disk, which needs root on Linux: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// Fill writes a file to dir until the disk is full. The caller may call free, which
// removes the file.
func Fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	file, err := os.Create(path) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, size := range []int{1 << 20, 4 << 10} { // in large blocks, then to the last page
		for block := make([]byte, size); err == nil; {
			_, err = file.Write(block)
		}
		if !errors.Is(err, errNoSpace) {
			t.Fatal(err)
		}
		err = nil
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
