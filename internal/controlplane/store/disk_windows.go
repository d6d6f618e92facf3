package store

import (
	"math"

	"golang.org/x/sys/windows"
)

// freeBytes returns how many bytes can be written to the disk of dir.
func freeBytes(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller names the folder
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, err //nolint:wrapcheck // the caller names the folder
	}
	return int64(min(free, math.MaxInt64)), nil //nolint:gosec // bounded
}
