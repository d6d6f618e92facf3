package dirsync

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"
)

func TestSync(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := Sync(dir); err != nil {
		t.Errorf("a directory: %v", err)
	}
	if err := Sync(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) && runtime.GOOS != "windows" {
		t.Errorf("no directory: %v", err)
	}
}
