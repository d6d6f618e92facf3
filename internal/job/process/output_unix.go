//go:build unix

package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// The size of a terminal: log pages show lines of this width without folding them.
const (
	terminalRows = 100
	terminalCols = 160
)

// openTerminal opens a pseudo-terminal.
func openTerminal() (read, write *os.File, err error) {
	read, write, err = pty.Open()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // openOutput wraps it
	}
	if err := pty.Setsize(read, &pty.Winsize{Rows: terminalRows, Cols: terminalCols}); err != nil {
		return nil, nil, errors.Join(err, read.Close(), write.Close())
	}
	return read, write, nil
}

// setTerminal makes the terminal at the program's stdin that of its session.
func setTerminal(cmd *exec.Cmd) {
	cmd.SysProcAttr.Setctty = true // Ctty is 0: stdin
}

// atEnd reports whether a read error is the end of the output. Linux returns EIO
// for a terminal that no process holds any more.
func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) }

// closedByAll reports whether no process has the writing end any more, although
// the pipe may not have been read to its end. Only the system knows: the reader may
// be waiting for the writer.
func (o *output) closedByAll() bool {
	conn, err := o.read.SyscallConn()
	if err != nil {
		return true
	}
	state := []unix.PollFd{{Events: unix.POLLIN}}
	var pollErr error
	syscall.ForkLock.RLock() // between fork and exec, a child of ours has all our descriptors
	defer syscall.ForkLock.RUnlock()
	err = conn.Control(func(fd uintptr) {
		state[0].Fd = int32(fd) //nolint:gosec // a descriptor fits
		_, pollErr = unix.Poll(state, 0)
	})
	switch {
	case err != nil, pollErr != nil, state[0].Revents&unix.POLLNVAL != 0: // closed; or a terminal, where the system cannot poll it
		return !o.reading.Load()
	default:
		return state[0].Revents&unix.POLLHUP != 0
	}
}
