// Package dirsync writes the names in a directory to the disk. A file that was created or
// renamed can lack its name after a power failure, whatever was synced of the file itself.
package dirsync

import (
	"os"
	"runtime"
)

// Sync writes the names in the directory at path to the disk. It does nothing on Windows,
// which cannot sync a directory, and journals file names. It returns the error of opening or
// syncing the directory, and may be called concurrently.
func Sync(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(path) //nolint:gosec // a directory of the caller
	if err != nil {
		return err //nolint:wrapcheck // it names the directory
	}
	defer func() { _ = dir.Close() }() // synced before
	return dir.Sync()                  //nolint:wrapcheck // it names the directory
}
