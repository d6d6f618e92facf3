package workspace

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// FuzzMake checks that no job ID leads out of the build path.
func FuzzMake(f *testing.F) {
	for _, seed := range []string{"j1", "", "..", "../../etc", "/etc", "a\x00b", "*", `C:\x`, strings.Repeat("é", 100), "\xff"} {
		f.Add(seed)
	}
	build := f.TempDir()
	f.Fuzz(func(t *testing.T, id string) {
		dir, err := Make(build, id, &Claim{id: "0123456789"})
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if filepath.Dir(dir) != build || len(filepath.Base(dir)) > spool.MaxNameLen+20+suffixLen+1 {
			t.Errorf("%q: %s", id, dir)
		}
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
	})
}
