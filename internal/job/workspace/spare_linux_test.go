package workspace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSpares makes working directories for jobs that follow others which have left files in
// theirs: they were made ahead, unless something was done to them meanwhile.
func TestSpares(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		meddle func(spare string) error
		jobs   int // before
		spares int // after them
		left   int // after another job
	}{
		{"one job", nothing, 1, 1, 0},
		{"several jobs", nothing, 3, 3, 2},
		{"more than are kept", nothing, maxSpares + 1, maxSpares, maxSpares - 1},
		{"a spare that a job has changed", writeFile, 1, 1, 1},
		{"a spare that a job has opened to others", openToOthers, 1, 1, 1},
		{"a spare that a job has removed", os.Remove, 1, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			claim := claimPath(t, path, CleanupAlways)
			var used []string
			for range tt.jobs {
				dir := makeEmpty(t, path, claim)
				if err := writeFile(dir); err != nil {
					t.Fatal(err)
				}
				used = append(used, dir)
			}
			for _, dir := range used {
				if err := claim.Remove(dir, false); err != nil {
					t.Error(err)
				}
			}
			all := spareDirs(t, claim)
			if len(all) != tt.spares {
				t.Fatalf("%d spare directories, want %d", len(all), tt.spares)
			}
			if err := tt.meddle(all[0]); err != nil {
				t.Fatal(err)
			}
			makeEmpty(t, path, claim)
			if left := len(spareDirs(t, claim)); left != tt.left {
				t.Errorf("%d spare directories after another job, want %d", left, tt.left)
			}
			if err := claim.Close(); err != nil {
				t.Error(err)
			}
			if left := spareDirs(t, claim); left != nil {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// TestSparesOfJobs ends a job whose directory is that of the next one only if the job has left
// it as it got it, and no process in it.
func TestSparesOfJobs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		job     func(dir string) error
		running bool
		again   bool
	}{
		{"nothing done", nothing, false, true},
		{"its files read", func(dir string) error { _, err := os.ReadDir(dir); return err }, false, true},
		{"a file made", writeFile, false, false},
		{"a directory made", func(dir string) error { return os.Mkdir(filepath.Join(dir, "x"), ownerOnly) }, false, false},
		{"opened to others", openToOthers, false, false},
		{"replaced by a link", func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink("/", dir)) }, false, false},
		{"replaced by another", func(dir string) error { return errors.Join(os.Rename(dir, dir+"x"), os.Mkdir(dir, ownerOnly)) }, false, false},
		{"removed", os.Remove, false, false},
		{"a process in it", nothing, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			claim := claimPath(t, path, CleanupAlways)
			dir := makeEmpty(t, path, claim)
			open, err := os.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = open.Close() }()
			if err := errors.Join(tt.job(dir), claim.Remove(dir, tt.running)); err != nil {
				t.Fatal(err)
			}
			is, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", open.Fd()))
			if again := filepath.Dir(is) == filepath.Join(claim.dir, sparesDir); err != nil || again != tt.again {
				t.Errorf("the directory is now %s, %v", is, err)
			}
			if _, err := os.Lstat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("after the job: %v", err)
			}
			if n := len(claim.spares.used); n != 0 {
				t.Errorf("%d directories are noted", n)
			}
			if n := len(claim.spares.ready); n != 1 {
				t.Errorf("%d spare directories", n)
			}
			makeEmpty(t, path, claim)
			if left := spareDirs(t, claim); left != nil {
				t.Errorf("left: %q", left)
			}
			if err := claim.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSparesOfKeptDirectories keeps the directory of a job, and does not remember it.
func TestSparesOfKeptDirectories(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	claim := claimPath(t, path, CleanupNever)
	dir := makeEmpty(t, path, claim)
	if err := claim.Keep(dir); err != nil {
		t.Error(err)
	}
	if n := len(claim.spares.used); n != 0 {
		t.Errorf("%d directories are noted", n)
	}
	if err := claim.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
}

// What a job does to its working directory.

func nothing(string) error { return nil }

func writeFile(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o600) }

func openToOthers(dir string) error { return os.Chmod(dir, 0o755) } //nolint:gosec // the tests are about it

// spareDirs returns the spare directories of a claim.
func spareDirs(t *testing.T, claim *Claim) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(claim.dir, sparesDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// makeEmpty makes a working directory, which must be as Make promises.
func makeEmpty(t *testing.T, path string, claim *Claim) string {
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
	return dir
}
