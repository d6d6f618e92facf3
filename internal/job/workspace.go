package job

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// ownerOnly keeps a job's files from the machine's other users.
const ownerOnly = 0o700

// makeWorkspace makes a fresh working directory under buildPath, and buildPath
// if it is missing. The id comes from outside: only what is harmless in a path
// goes into the name.
func makeWorkspace(buildPath, id string) (string, error) {
	if err := os.MkdirAll(buildPath, ownerOnly); err != nil {
		return "", fmt.Errorf("making the build path: %w", err)
	}
	dir, err := os.MkdirTemp(buildPath, "job-"+spool.SafeName(id)+"-*")
	if err != nil {
		return "", fmt.Errorf("making a working directory: %w", err)
	}
	return dir, nil
}

// removeWorkspace removes a working directory with all that is in it. Folders
// without write permission, such as Go's module cache makes, are opened up
// first if need be; nothing outside the directory is touched.
func removeWorkspace(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	openErr := openUp(dir)
	if err := os.RemoveAll(dir); err != nil {
		return errors.Join(fmt.Errorf("removing a working directory: %w", err), openErr)
	}
	return nil
}

// openUp gives the owner all rights to dir and every folder under it. It
// follows no link out of dir's parent.
func openUp(dir string) error {
	root, err := os.OpenRoot(filepath.Dir(dir))
	if err != nil {
		return fmt.Errorf("opening the build path: %w", err)
	}
	defer func() { _ = root.Close() }() // nothing was written through it
	walk := func(path string, entry fs.DirEntry, _ error) error {
		if entry != nil && entry.IsDir() {
			// The walk calls this before it reads the folder. What cannot be
			// opened shows in the removal.
			_ = root.Chmod(path, ownerOnly)
		}
		return nil
	}
	if err := fs.WalkDir(root.FS(), filepath.Base(dir), walk); err != nil {
		return fmt.Errorf("opening up a working directory: %w", err)
	}
	return nil
}
