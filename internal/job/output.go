package job

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

const (
	// readSize is how much is read from the pipe at once: half of what it holds
	// on Linux.
	readSize = 32 << 10
	// pipeSize is the most that a pipe of ours holds (64 KiB on Linux and
	// macOS, less on Windows), and so the most of a command's own output that
	// can be in it when the command has ended.
	pipeSize = 64 << 10
	// restWait is how long a pipe that is past its time may stay empty before
	// nothing more is expected of it.
	restWait = 100 * time.Millisecond
)

// output is the pipe that the command's stdout and stderr share.
type output struct {
	read, write *os.File
	done        chan struct{} // closed when nothing more is read
	waiting     atomic.Bool   // the reader waits for something to read, and is not held up by what it hands on: see abandoned
	unended     bool          // reading ended before the end of the pipe; valid after done
}

func newOutput() (*output, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe for the output: %w", err)
	}
	return &output{read: read, write: write, done: make(chan struct{})}, nil
}

// discard closes a pipe that no command has got.
func (o *output) discard() {
	_ = o.write.Close()
	_ = o.read.Close()
}

// copyTo hands what is read to w, from a goroutine of its own, which ends at
// the end of the pipe or after settle. It is called once the command has its
// own copy of the writing end.
func (o *output) copyTo(w io.Writer) {
	_ = o.write.Close()
	go func() {
		defer close(o.done)
		defer func() { _ = o.read.Close() }()
		o.copyAll(w)
	}()
}

func (o *output) copyAll(w io.Writer) {
	buf := make([]byte, readSize)
	for {
		o.waiting.Store(true)
		n, err := o.read.Read(buf)
		o.waiting.Store(false)
		if n > 0 {
			_, _ = w.Write(buf[:n]) // an uploader's Write never fails
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			o.unended = !o.copyRest(w, buf)
			return
		default: // io.EOF; or settle has closed a pipe that knows no deadlines
			o.unended = !atEnd(err)
			return
		}
	}
}

// copyRest takes what the command itself can have left in the pipe. It is
// needed because a reader that was held up by slow uploads finds its deadline
// passed, whatever is in the pipe. It tells whether the end of the pipe was
// reached.
func (o *output) copyRest(w io.Writer, buf []byte) bool {
	for taken := 0; taken < pipeSize; {
		if err := o.read.SetReadDeadline(time.Now().Add(restWait)); err != nil {
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

// settle waits for the end of the pipe, at most until closeBy, calls endGroup,
// and waits until what is in the pipe has been taken. It tells whether some
// process held the pipe open to the last. The time that is spent in handing
// output on is not bounded here but by the uploader.
func (o *output) settle(closeBy time.Time, endGroup func()) bool {
	held := !within(o.done, time.Until(closeBy)) && !o.abandoned()
	endGroup()

	// Windows has no deadlines on pipes: give the dead their time to let go of
	// it, then close it under the reader.
	if err := o.read.SetReadDeadline(time.Now()); err != nil && !within(o.done, restWait) {
		_ = o.read.Close()
	}
	<-o.done
	return held || o.unended
}
