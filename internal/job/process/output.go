package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

const (
	// firstRead and readSize are the bytes read from the output at once: most jobs write
	// little, and the others half of a pipe on Linux.
	firstRead, readSize = 2 << 10, 32 << 10
	// pipeSize is the most that a pipe holds (64 KiB on Linux and macOS, less on
	// Windows), and so the most of the program's own output that can be in it when
	// the program has ended.
	pipeSize = 64 << 10
	idleWait = 100 * time.Millisecond // how long a pipe may stay empty after the deadline
)

// output is the pipe, or the terminal, that a program's stdout and stderr share.
type output struct {
	read, write *os.File
	done        chan struct{} // closed when reading has ended
	reading     atomic.Bool   // the reader waits for the pipe, not for the writer of Start
	incomplete  bool          // reading ended before the end of the pipe; valid after done
}

// openOutput opens a terminal or a pipe.
func openOutput(terminal bool) (*output, error) {
	open := openPipe
	if terminal {
		open = openTerminal
	}
	read, write, err := open()
	if err != nil {
		return nil, fmt.Errorf("opening the output of a command: %w", err)
	}
	return &output{read: read, write: write, done: make(chan struct{})}, nil
}

// discard closes an output that no program was started with.
func (o *output) discard() {
	_ = o.write.Close()
	_ = o.read.Close()
}

// copyTo copies the output to w in a new goroutine, until its end or until drain
// stops it. It is called when the program has its own copy of the writing end.
func (o *output) copyTo(w io.Writer) {
	_ = o.write.Close()
	go func() {
		defer close(o.done)
		defer func() { _ = o.read.Close() }()
		o.copyAll(w)
	}()
}

func (o *output) copyAll(w io.Writer) {
	buf := make([]byte, firstRead)
	for {
		o.reading.Store(true)
		n, err := o.read.Read(buf)
		o.reading.Store(false)
		if n > 0 {
			_, _ = w.Write(buf[:n])
		}
		if n == len(buf) && n < readSize {
			buf = make([]byte, readSize)
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			o.incomplete = !o.copyRest(w, buf)
			return
		default: // io.EOF; or drain has closed a pipe that has no deadlines
			o.incomplete = !atEnd(err)
			return
		}
	}
}

// copyRest copies what the program itself can have left in the pipe after the
// deadline: a slow writer may have kept the reader from reading it before. It
// reports whether the end of the pipe was reached.
func (o *output) copyRest(w io.Writer, buf []byte) bool {
	for taken := 0; taken < pipeSize; {
		if err := o.read.SetReadDeadline(time.Now().Add(idleWait)); err != nil {
			return false
		}
		n, err := o.read.Read(buf)
		if n > 0 {
			_, _ = w.Write(buf[:n])
			taken += n
		}
		if err != nil {
			return atEnd(err)
		}
	}
	return false
}

// drain waits for the end of the output, at most until deadline, calls endGroup,
// and waits until the rest has been read. It reports whether some process held the
// output open to the last. The time that the writer takes is not bounded.
func (o *output) drain(deadline time.Time, endGroup func()) bool {
	held := !closedWithin(o.done, time.Until(deadline)) && !o.closedByAll()
	endGroup()
	// Pipes have no deadlines on Windows: wait for the killed processes to close
	// the pipe, then close it under the reader.
	if err := o.read.SetReadDeadline(time.Now()); err != nil && !closedWithin(o.done, idleWait) {
		_ = o.read.Close()
	}
	<-o.done
	return held || o.incomplete
}
