package workspace

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

// TestSpares makes working directories, of which those after the first refill were made
// ahead, unless something was done to them meanwhile.
func TestSpares(t *testing.T) {
	t.Parallel()
	nothing := func(string) error { return nil }
	for _, tt := range []struct {
		name   string
		meddle func(spare string) error
		jobs   int // before the refill
		spares int // after it
		left   int // after another job
	}{
		{"one job", nothing, 1, 1, 0},
		{"jobs that begin together", nothing, 3, 3, 2},
		{"more than are kept", nothing, maxSpares + 1, maxSpares, maxSpares - 1},
		{"a spare that a job has changed", func(spare string) error { return os.WriteFile(filepath.Join(spare, "x"), nil, 0o600) }, 1, 1, 1},
		{"a spare that a job has opened to others", func(spare string) error { return os.Chmod(spare, 0o755) }, 1, 1, 1}, //nolint:gosec // the test is about it
		{"a spare that a job has removed", os.Remove, 1, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := t.TempDir()
				claim, err := ClaimBuildPath(path, CleanupAlways, nil, zap.NewNop())
				if err != nil {
					t.Fatal(err)
				}
				spares := func() []string {
					all, err := filepath.Glob(filepath.Join(claim.dir, sparesDir, "*"))
					if err != nil {
						t.Fatal(err)
					}
					return all
				}
				for range tt.jobs {
					makeEmpty(t, path, claim)
				}
				time.Sleep(refillDelay)
				synctest.Wait()
				all := spares()
				if len(all) != tt.spares {
					t.Fatalf("%d spare directories, want %d", len(all), tt.spares)
				}
				if err := tt.meddle(all[0]); err != nil {
					t.Fatal(err)
				}
				makeEmpty(t, path, claim)
				if left := len(spares()); left != tt.left {
					t.Errorf("%d spare directories after another job, want %d", left, tt.left)
				}
				if err := claim.Close(); err != nil {
					t.Error(err)
				}
				if left := spares(); left != nil {
					t.Errorf("left: %q", left)
				}
			})
		})
	}
}

// makeEmpty makes a working directory, which must be as Make promises.
func makeEmpty(t *testing.T, path string, claim *Claim) {
	t.Helper()
	dir, err := Make(path, "1", claim)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := []any{filepath.Dir(dir), len(entries), info.Mode()}
	if diff := cmp.Diff([]any{path, 0, os.ModeDir | ownerOnly}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
