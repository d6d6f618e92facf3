//go:build unix

package spool

import (
	"fmt"
	"io/fs"
	"os"
)

// writableByOthers reports whether the group or other users may write to a
// directory with this mode. A sticky bit makes no difference.
func writableByOthers(mode fs.FileMode) bool {
	const groupOrOthers = 0o022
	return mode&groupOrOthers != 0
}

// syncDir writes the file names of a directory to the disk.
func syncDir(dir string) error {
	file, err := os.Open(dir) //nolint:gosec // the directory is ours
	if err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // synced before
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}
