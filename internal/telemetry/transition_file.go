package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

// olderFiles is the number of full files kept beside the one being written.
const olderFiles = 4

// transitionFile is the file of a transition log with its older files. It must
// be used by one goroutine at a time.
type transitionFile struct {
	path    string
	size    int64
	version string // of the program

	disk    *os.File // nil while closed
	lines   transitionLines
	written int64 // bytes in the file
}

func (f *transitionFile) isOpen() bool { return f.disk != nil }

// open opens the file and writes a header, at which a replay can begin. It first
// removes an incomplete last line, which a killed writer may have left.
func (f *transitionFile) open() error {
	disk, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	f.written, err = sizeOfWholeLines(disk)
	if err == nil {
		err = disk.Truncate(f.written)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.path, err), disk.Close())
	}
	f.disk = disk
	if err := f.write(f.lines.header(nil, f.version)); err != nil {
		f.abandon()
		return err
	}
	return nil
}

// sizeOfWholeLines returns the size of a file without an incomplete last line.
func sizeOfWholeLines(disk *os.File) (int64, error) {
	end, err := disk.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller names the file
	}
	block := make([]byte, 4096) //nolint:mnd // any size works
	for end > 0 {
		part := block[:min(end, int64(len(block)))]
		start := end - int64(len(part))
		if _, err := disk.ReadAt(part, start); err != nil {
			return 0, err //nolint:wrapcheck // as above
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// full reports whether the file has reached its size.
func (f *transitionFile) full() bool { return f.written >= f.size }

// write writes whole lines. After an error the file must be abandoned.
func (f *transitionFile) write(lines []byte) error {
	if _, err := f.disk.Write(lines); err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	f.written += int64(len(lines))
	return nil
}

// rotate renames the files and begins a new one.
func (f *transitionFile) rotate() error {
	f.close()
	for i := olderFiles - 1; i >= 0; i-- {
		if err := os.Rename(f.olderPath(i), f.olderPath(i+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err //nolint:wrapcheck // it names the files
		}
	}
	return f.open()
}

// olderPath returns the path of the file that was renamed n times.
func (f *transitionFile) olderPath(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

// abandon closes the file after a failed write, and removes incomplete lines as
// far as that is possible.
func (f *transitionFile) abandon() {
	if f.disk != nil {
		_ = f.disk.Truncate(f.written)
	}
	f.close()
}

func (f *transitionFile) close() {
	if f.disk != nil {
		_ = f.disk.Close()
	}
	f.disk = nil
}
