//go:build unix

package spool

import (
	"fmt"
	"io/fs"
	"os"
)

// writableByOthers looks at the mode of a folder: those with a sticky bit let
// nobody rename what is another's, but it is not for a spool to rely on that.
func writableByOthers(mode fs.FileMode) bool {
	const groupOrOthers = 0o022
	return mode&groupOrOthers != 0
}

// syncFolder makes the names in a folder outlast a power cut.
func syncFolder(dir string) error {
	folder, err := os.Open(dir) //nolint:gosec // the folder is ours
	if err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	defer func() { _ = folder.Close() }() // it is synced
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}
