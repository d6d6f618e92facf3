package telemetry

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/switchyard-ci/switchyard/fsm"
)

// olderFiles is how many files are kept beside the one that is written.
const olderFiles = 4

// transitionFile is the file of a transition log, and its older ones. It must be
// used by one goroutine at a time.
type transitionFile struct {
	path   string
	size   int64
	header fsm.LogHeader

	disk    *os.File // nil while closed
	out     *bufio.Writer
	good    int64           // bytes that are on disk, up to the end of a line
	pending int64           // bytes behind them
	begun   map[string]bool // the workers that have a whole record since the last header or gap
	line    []byte
}

func (f *transitionFile) closed() bool { return f.disk == nil }

// open opens the file, and has a replay begin anew in it. Half a line, of a
// writer that was killed, is cut off.
func (f *transitionFile) open() error {
	disk, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	f.good, err = wholeLines(disk)
	if err == nil {
		err = disk.Truncate(f.good)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", f.path, err), disk.Close())
	}
	f.disk, f.out, f.pending, f.begun = disk, bufio.NewWriter(disk), 0, map[string]bool{}
	f.line = f.header.Encode(f.line[:0])
	if err := errors.Join(f.write(), f.flush()); err != nil {
		f.abandon()
		return err
	}
	return nil
}

// wholeLines returns the size of a file without half a line at its end.
func wholeLines(disk *os.File) (int64, error) {
	end, err := disk.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err //nolint:wrapcheck // the caller names the file
	}
	block := make([]byte, 4096) //nolint:mnd // any size will do
	for end > 0 {
		part := block[:min(end, int64(len(block)))]
		if _, err := disk.ReadAt(part, end-int64(len(part))); err != nil {
			return 0, err //nolint:wrapcheck // as above
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return end - int64(len(part)) + int64(i) + 1, nil
		}
		end -= int64(len(part))
	}
	return 0, nil
}

// full tells whether the file has grown to its size.
func (f *transitionFile) full() bool { return f.good+f.pending >= f.size }

func (f *transitionFile) record(r *fsm.Record) error {
	f.line = r.Encode(f.line[:0], !f.begun[r.Worker])
	f.begun[r.Worker] = true
	return f.write()
}

// gap writes a gap; every worker begins anew behind it.
func (f *transitionFile) gap(g fsm.LogGap) error {
	clear(f.begun)
	f.line = g.Encode(f.line[:0])
	return f.write()
}

func (f *transitionFile) write() error {
	n, err := f.out.Write(f.line)
	f.pending += int64(n)
	return err //nolint:wrapcheck // an error of the disk names the file
}

// flush brings what was written to the operating system.
func (f *transitionFile) flush() error {
	if err := f.out.Flush(); err != nil {
		return err //nolint:wrapcheck // as above
	}
	f.good += f.pending
	f.pending = 0
	return nil
}

// rotate renames the files and begins a new one. All must be flushed.
func (f *transitionFile) rotate() error {
	f.close()
	for i := olderFiles - 1; i >= 0; i-- {
		if err := os.Rename(f.older(i), f.older(i+1)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err //nolint:wrapcheck // it names the files
		}
	}
	return f.open()
}

// older is the name of the file that was renamed n times.
func (f *transitionFile) older(n int) string {
	if n == 0 {
		return f.path
	}
	return f.path + "." + strconv.Itoa(n)
}

// abandon closes the file and cuts off what did not arrive whole. What goes wrong
// with that has gone wrong already.
func (f *transitionFile) abandon() {
	if f.disk != nil {
		_ = f.disk.Truncate(f.good)
	}
	f.close()
}

func (f *transitionFile) close() {
	if f.disk != nil {
		_ = f.disk.Close()
	}
	f.disk = nil
}
