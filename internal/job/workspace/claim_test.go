package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// claimPath claims a build path. The test closes the claim.
func claimPath(t *testing.T, path string, cleanup Cleanup) *Claim {
	t.Helper()
	c, err := ClaimBuildPath(path, cleanup, func(string) bool { return false }, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNilClaim calls the methods of a nil claim, and claims a path that is a file.
func TestNilClaim(t *testing.T) {
	t.Parallel()
	var none *Claim
	if err := none.Keep("x"); err != nil || none.ID() != "" {
		t.Errorf("%v, %q", err, none.ID())
	}
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimBuildPath(file, CleanupAlways, func(string) bool { return false }, zap.NewNop()); err == nil {
		t.Error("a file was claimed")
	}
}

// TestRemoveSockets checks, one after the other, that a claim, to which jobs can write, makes the next agent
// remove nothing but a folder of sockets.
func TestRemoveSockets(t *testing.T) { //nolint:tparallel // the rows are in order
	t.Parallel()
	parent := t.TempDir()
	sockets := filepath.Join(parent, "switchyard-job-1")
	isSockets := func(path string) bool { return strings.HasPrefix(filepath.Base(path), "switchyard-job-") }
	other, link, file := filepath.Join(parent, "home"), filepath.Join(parent, "switchyard-job-link"), filepath.Join(parent, "switchyard-job-file")
	if err := errors.Join(os.Mkdir(other, 0o700), os.Mkdir(sockets, 0o700), os.Symlink(other, link), os.WriteFile(file, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name, recorded, path string
		removed              bool
	}{
		{"sockets", sockets, sockets, true},
		{"sockets that are gone", sockets, other, false},
		{"another folder", other, other, false},
		{"a link with the name", link, other, false},
		{"a file with the name", file, file, false},
		{"a path below", "switchyard-job-x/../../" + filepath.Base(parent), parent, false},
		{"nothing", "", other, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			claim := t.TempDir()
			if err := os.WriteFile(filepath.Join(claim, socketFile), []byte(row.recorded), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := removeSockets(claim, isSockets); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(row.path); errors.Is(err, fs.ErrNotExist) != row.removed {
				t.Errorf("%v, removed: want %t", err, row.removed)
			}
		})
	}
	if err := removeSockets(t.TempDir(), isSockets); err != nil {
		t.Error(err)
	}
}

// TestKeptStays kills an agent that had two working directories, one of which was to be
// kept: the next one removes the other, and nothing of an agent that lives.
func TestKeptStays(t *testing.T) {
	t.Parallel()
	build := t.TempDir()
	work := func(c *Claim) string {
		dir, err := Make(build, "J1", c)
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	killed, alive := claimPath(t, build, CleanupAlways), claimPath(t, build, CleanupAlways)
	kept, left, others, nobodys := work(killed), work(killed), work(alive), work(nil)
	if err := errors.Join(killed.Keep(kept), killed.lock.Close()); err != nil {
		t.Fatal(err)
	}
	next := claimPath(t, build, CleanupAlways)
	for _, row := range []struct {
		name, dir string
		want      bool
	}{{"kept", kept, true}, {"left", left, false}, {"of another agent", others, true}, {"of no agent", nobodys, true}} {
		if _, err := os.Stat(row.dir); (err == nil) != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if err := errors.Join(alive.Close(), next.Close()); err != nil {
		t.Error(err)
	}
}
