package controlplane

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/datadir"
)

const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600

	lockFile = "lock"
)

// ErrDataDirInUse is returned by Start if another process, or another Server of
// this process, uses the data directory.
var ErrDataDirInUse = errors.New("data directory is in use by another control plane")

// dataDir is a data directory that is locked for this server until close.
type dataDir struct {
	path string
	lock *flock.Flock
}

// lockDataDir creates the directory if it does not exist, and locks it. It refuses a
// directory that other users can write to. The kernel
// releases the lock when the process ends, however it ends.
func lockDataDir(path string, logger *zap.Logger) (*dataDir, error) {
	if err := os.MkdirAll(path, dirMode); err != nil {
		return nil, fmt.Errorf("creating data directory %s: %w", path, reason(err))
	}
	shared, err := datadir.CheckDir(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the directory
	}
	if shared {
		logger.Warn("data directory can be changed by its group, which can replace the tokens", zap.String("directory", path))
	}
	lock := flock.New(filepath.Join(path, lockFile), flock.SetPermissions(fileMode))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking data directory %s: %w", path, reason(err))
	}
	if !held {
		return nil, fmt.Errorf("%w: %s; stop it, or use another directory", ErrDataDirInUse, path)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// close releases the lock.
func (d *dataDir) close() error {
	if err := d.lock.Close(); err != nil {
		return fmt.Errorf("unlocking data directory %s: %w", d.path, reason(err))
	}
	return nil
}

// reason returns err without the operation and path of an fs.PathError, for a
// message that names them already.
func reason(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}
