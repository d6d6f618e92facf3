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

// TestNilClaim calls the methods of a nil claim, and claims a path that is a file.
func TestNilClaim(t *testing.T) {
	t.Parallel()
	var none *Claim
	if err := none.Add("x"); err != nil || none.ID() != "" {
		t.Errorf("%v, %q", err, none.ID())
	}
	none.Release("x")
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
