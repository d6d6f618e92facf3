//go:build unix

package job

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// abandoned tells whether no process has the writing end any more, though what
// is in the pipe may not have been read. A reader that happens to hand
// something on says nothing of that: only the system knows.
func (o *output) abandoned() bool {
	conn, err := o.read.SyscallConn()
	if err != nil {
		return true
	}
	state := []unix.PollFd{{Events: unix.POLLIN}}
	var pollErr error
	syscall.ForkLock.RLock() // a child of ours has all that we have, until it runs its program
	defer syscall.ForkLock.RUnlock()
	err = conn.Control(func(fd uintptr) {
		state[0].Fd = int32(fd) //nolint:gosec // a descriptor fits
		_, pollErr = unix.Poll(state, 0)
	})
	switch {
	case err != nil, pollErr != nil, state[0].Revents&unix.POLLNVAL != 0: // closed at the end; or a terminal, where the system polls none
		return !o.waiting.Load()
	default:
		return state[0].Revents&unix.POLLHUP != 0
	}
}
