package process

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"
)

// smallFile is the room for the content of a file of /proc or of a control group: few are
// longer.
const smallFile = 1 << 10

// readSmall returns the content of a file of /proc or of a control group. Unlike
// os.ReadFile, it does not ask whether the file can be polled: some of these files can, and
// then each read of one wakes a thread of this process that waits for sockets.
func readSmall(path string) ([]byte, error) {
	fd, err := openSmall(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer func() { _ = unix.Close(fd) }() // only read
	content := make([]byte, 0, smallFile)
	for {
		if len(content) == cap(content) {
			content = append(content, 0)[:len(content)]
		}
		n, err := unix.Read(fd, content[len(content):cap(content)])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		case n == 0:
			return content, nil
		default:
			content = content[:len(content)+n]
		}
	}
}

func openSmall(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err //nolint:wrapcheck // readSmall wraps it
		}
	}
}
