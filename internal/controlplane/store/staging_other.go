//go:build !linux

package store

// memoryFolder returns a folder whose files are in memory: only Linux has one everywhere.
func memoryFolder() string { return "" }

// isPrivateFolder reports whether a path is a folder that no other user may use, which is only
// asked of folders in memory.
func isPrivateFolder(string) bool { return true }
