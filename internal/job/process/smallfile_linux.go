package process

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// smallFile is the room for the content of a file of /proc or of a control group: few are
// longer.
const smallFile = 1 << 10

// readSmall returns the content of a file of /proc or of a control group; see readSmallAt.
func readSmall(path string) ([]byte, error) {
	return readSmallAt(unix.AT_FDCWD, path, make([]byte, smallFile))
}

// readSmallAt returns the content of a file of /proc or of a control group, in buf if it is
// large enough. A path that is not absolute is below the directory dir, an open descriptor.
//
// Unlike os.ReadFile, it does not ask whether the file can be polled: some of these files can,
// and then each read of one wakes a thread of this process that waits for sockets. Nor does it
// read again after a first read that has not filled a buffer of smallFile bytes: the kernel
// makes the text of these files up in a page, and fills the buffer as long as there is more
// text (seq_read_iter, environ_read). With a buffer of a page or more that is not so.
func readSmallAt(dir int, path string, buf []byte) ([]byte, error) {
	fd, err := openSmall(dir, path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }() // only read
	content := buf[:0]
	for {
		if len(content) == cap(content) {
			content = append(content, 0)[:len(content)]
		}
		n, err := unix.Read(fd, content[len(content):cap(content)])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		content = content[:len(content)+n]
		if n == 0 || len(content) == n && n < min(cap(content), smallFile) {
			return content, nil
		}
	}
}

func openSmall(dir int, path string) (int, error) {
	for {
		fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err //nolint:wrapcheck // readSmallAt wraps it
		}
	}
}
