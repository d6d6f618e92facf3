//go:build unix

package store

import (
	"math"

	"golang.org/x/sys/unix"
)

// freeBytes returns how many bytes can be written to the disk of dir.
func freeBytes(dir string) (int64, error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err //nolint:wrapcheck // the caller names the folder
	}
	free := disk.Bavail * uint64(disk.Bsize) //nolint:gosec // positive; the type depends on the system
	return int64(min(free, math.MaxInt64)), nil
}
