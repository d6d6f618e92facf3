package workspace

import (
	"path/filepath"
	"testing"
)

// TestMakeIsFresh creates several directories for one job ID: each is a new one.
func TestMakeIsFresh(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	seen := map[string]bool{}
	for range 10 {
		dir, err := Make(path, "same", nil)
		if err != nil || seen[dir] || filepath.Dir(dir) != path {
			t.Fatalf("%q again, %v", dir, err)
		}
		seen[dir] = true
	}
}
