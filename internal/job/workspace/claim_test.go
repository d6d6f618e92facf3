package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
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
	if _, err := ClaimBuildPath(file, CleanupAlways, zap.NewNop()); err == nil {
		t.Error("a file was claimed")
	}
}

// TestRemoveSockets checks that a claim, to which jobs can write, makes the next agent
// remove nothing but a folder of sockets.
func TestRemoveSockets(t *testing.T) {
	t.Parallel()
	sockets, err := joblink.MakeDir()
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(sockets)
	parent := t.TempDir()
	other, link, file := filepath.Join(parent, "home"), filepath.Join(parent, "switchyard-job-link"), filepath.Join(parent, "switchyard-job-file")
	if err := errors.Join(os.Mkdir(other, 0o700), os.Symlink(other, link), os.WriteFile(file, nil, 0o600)); err != nil {
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
			if err := removeSockets(claim); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(row.path); errors.Is(err, fs.ErrNotExist) != row.removed {
				t.Errorf("%v, removed: want %t", err, row.removed)
			}
		})
	}
	if err := removeSockets(t.TempDir()); err != nil {
		t.Error(err)
	}
}
