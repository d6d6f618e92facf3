package spool

import "io/fs"

// writableByOthers cannot be told from a mode, which Windows does not have;
// there, the folder has the rights of the one that it is in.
func writableByOthers(fs.FileMode) bool { return false }

// syncFolder has nothing to do: a folder cannot be synced, and its file system
// keeps a journal of names.
func syncFolder(string) error { return nil }
