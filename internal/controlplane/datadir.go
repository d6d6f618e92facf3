package controlplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600

	lockFile = "lock"
)

// ErrDataDirInUse is returned by Start when another process, or another Server
// of this one, has the data directory open.
var ErrDataDirInUse = errors.New("data directory is in use by another control plane")

// dataDir is a data directory that this server alone may use until close.
type dataDir struct {
	path string
	lock *flock.Flock
}

// openDataDir makes the directory where it does not exist, and locks it. The
// lock is the kernel's and ends with the process, however it ends.
func openDataDir(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("making data directory %s: %w", path, reason(err))
	}
	lock := flock.New(filepath.Join(path, lockFile), flock.SetPermissions(fileMode))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking data directory %s: %w", path, reason(err))
	}
	if !held {
		return nil, fmt.Errorf("%w: %s; stop the other one, or name another directory", ErrDataDirInUse, path)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// close gives the directory up to others.
func (d *dataDir) close() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("unlocking data directory %s: %w", d.path, reason(err))
	}
	return nil
}

// reason strips the operation and path that the caller's message names already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
