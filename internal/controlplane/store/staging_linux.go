package store

import "golang.org/x/sys/unix"

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
