package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
)

// The permissions of others, who are neither the owner nor in the group.
const (
	othersRead  fs.FileMode = 0o004
	othersWrite fs.FileMode = 0o002
	groupWrite  fs.FileMode = 0o020
)

// CheckDir returns an error if other users of the machine can write to the data
// directory: they could replace the tokens and the store. A directory that only its
// group can write to is shared on purpose or by the umask: shared reports it, for a
// warning. On Windows, where a mode says nothing about others, all is well.
func CheckDir(path string) (shared bool, err error) {
	mode, err := modeOf(path, fs.FileMode.IsDir)
	if err != nil {
		return false, err
	}
	if mode&othersWrite != 0 {
		return false, fmt.Errorf("data directory %s has the mode %#o, so that other users can replace its tokens: "+
			"run chmod go-w on it, or use another directory", path, mode)
	}
	return mode&groupWrite != 0, nil
}

// CheckTokenFile returns an error if other users of the machine can read or replace a
// token file of the data directory. There is none if the file does not exist.
func CheckTokenFile(path string) error {
	mode, err := fileMode(path)
	if err != nil {
		return err
	}
	if mode&(othersRead|othersWrite) != 0 {
		return fmt.Errorf("token file %s has the mode %#o, so that other users can read or replace it: "+
			"run chmod 600 on it; if they may have read it, remove it, and the next start creates a new token", path, mode)
	}
	return nil
}

// CheckSecretFile checks a file that an operator names and that holds a secret. It
// returns an error if every user of the machine can replace it, and a warning, of one
// line, if others can read it or their group can replace it. kind names the file in both,
// such as "token file". A file that does not exist or is not a regular one passes: its
// reader reports it. Unlike CheckTokenFile it accepts what others can read, since the
// secrets that container platforms mount have such a mode.
func CheckSecretFile(kind, path string) (warning string, err error) {
	mode, err := fileMode(path)
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err // the path is named already
		}
		return "", fmt.Errorf("%s %s cannot be read: %w", kind, path, err)
	}
	switch {
	case mode&othersWrite != 0:
		return "", fmt.Errorf("%s %s has the mode %#o, so that other users can replace it: check its content, and run chmod 600 on it",
			kind, path, mode)
	case mode&othersRead != 0:
		return fmt.Sprintf("%s %s has the mode %#o, so that other users can read it: run chmod 600 on it", kind, path, mode), nil
	case mode&groupWrite != 0:
		return fmt.Sprintf("%s %s has the mode %#o, so that its group can replace it: run chmod g-w on it", kind, path, mode), nil
	}
	return "", nil
}

// fileMode returns the permissions of a file; none if there is no such file, if it is of
// another kind, such as a directory or a pipe, and on Windows.
func fileMode(path string) (fs.FileMode, error) { return modeOf(path, fs.FileMode.IsRegular) }

// modeOf returns the permissions of what is at a path; none if there is nothing, if it is
// not of the kind, and on Windows.
func modeOf(path string, kind func(fs.FileMode) bool) (fs.FileMode, error) {
	if runtime.GOOS == "windows" {
		return 0, nil
	}
	info, err := os.Stat(path)
	switch {
	case os.IsNotExist(err):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("permissions: %w", err)
	case !kind(info.Mode()):
		return 0, nil
	}
	return info.Mode().Perm(), nil
}
