package spool

import "io/fs"

// writableByOthers returns false: Windows has no modes, and the directory has
// the permissions of its parent.
func writableByOthers(fs.FileMode) bool { return false }

// syncDir does nothing: Windows cannot sync a directory, and its file system
// journals file names.
func syncDir(string) error { return nil }
