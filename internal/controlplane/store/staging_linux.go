package store

import (
	"os"

	"golang.org/x/sys/unix"
)

// sharedMemory is where Linux has a file system in memory for all programs.
const sharedMemory = "/dev/shm"

// memoryFolder returns a folder whose files are in memory, or "" if there is none.
func memoryFolder() string {
	var fs unix.Statfs_t
	if err := unix.Statfs(sharedMemory, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
		return ""
	}
	return sharedMemory
}

// isPrivateFolder reports whether a path is a folder of this user that no other one may use.
func isPrivateFolder(path string) bool {
	const ofOthers = 0o077
	var info unix.Stat_t
	return unix.Lstat(path, &info) == nil && info.Mode&unix.S_IFMT == unix.S_IFDIR && info.Mode&ofOthers == 0 &&
		int(info.Uid) == os.Geteuid()
}
