package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// namePrefix begins the name of a working directory.
const namePrefix = "job-"

// ownerOnly keeps the files of jobs from other users of the machine.
const ownerOnly = 0o700

// Make creates a fresh working directory below buildPath, and buildPath if it is
// missing. The name contains the job's ID as far as it is harmless in a path, and that
// of the agent's claim, which may be nil. The caller calls Claim.Remove or Claim.Keep when the
// job has ended.
func Make(buildPath, jobID string, claim *Claim) (string, error) {
	name := namePrefix + spool.SafeName(jobID) + "-"
	if claim != nil {
		random := strconv.FormatUint(uint64(rand.Uint32()), 10) //nolint:gosec // as MkdirTemp does
		if dir := filepath.Join(buildPath, name+random+claim.suffix()); claim.spares.moveTo(dir) {
			claim.spares.use(dir)
			return dir, nil
		}
	}
	if err := os.MkdirAll(buildPath, ownerOnly); err != nil {
		return "", fmt.Errorf("creating the build path: %w", err)
	}
	dir, err := os.MkdirTemp(buildPath, name+"*"+claim.suffix())
	if err != nil {
		return "", fmt.Errorf("creating a working directory: %w", err)
	}
	if claim != nil {
		claim.spares.use(dir)
	}
	return dir, nil
}

// Remove removes a working directory with all its content. Directories without
// write permission, such as those of Go's module cache, get it first. Nothing
// outside the working directory is changed.
func Remove(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	chmodErr := makeWritable(dir)
	if err := os.RemoveAll(dir); err != nil {
		return errors.Join(fmt.Errorf("removing a working directory: %w", err), chmodErr)
	}
	return nil
}

// makeWritable sets all permissions of the owner on dir and the directories in it.
// It follows no link out of dir's parent.
func makeWritable(dir string) error {
	root, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return fmt.Errorf("opening the build path: %w", err)
	}
	defer func() { _ = root.Close() }() // only read
	walk := func(path string, entry fs.DirEntry, _ error) error {
		if entry != nil && entry.IsDir() {
			// The walk calls this before it reads the directory. If it fails, the
			// removal fails too.
			_ = root.Chmod(path, ownerOnly)
		}
		return nil
	}
	if err := fs.WalkDir(root.FS(), filepath.Base(dir), walk); err != nil {
		return fmt.Errorf("making a working directory writable: %w", err)
	}
	return nil
}
