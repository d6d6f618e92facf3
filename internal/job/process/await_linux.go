package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// openPidfd makes cmd get a descriptor of its process when it is started. The returned
// function returns it as a file, or nil if the system has none. It is called once, after
// the start, whether that has succeeded or not.
func openPidfd(cmd *exec.Cmd) (pidfd func() *os.File) {
	fd := -1
	cmd.SysProcAttr.PidFD = &fd
	return func() *os.File {
		// Without this, the runtime would block a thread for each wait.
		if fd < 0 || unix.SetNonblock(fd, true) != nil {
			return nil
		}
		return os.NewFile(uintptr(fd), "pidfd")
	}
}

// awaitExit waits for the end of the program and leaves it unreaped: until then its
// ID is not reused, and a signal to its group cannot reach another process. It closes
// the descriptor of the process, which may be nil.
func awaitExit(cmd *exec.Cmd, pidfd *os.File) error {
	if pidfd != nil {
		defer func() { _ = pidfd.Close() }() // nothing is written
		if ended, err := awaitReadable(pidfd); err == nil && ended {
			return nil
		}
	}
	for {
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
		}
		return nil
	}
}

// awaitReadable waits until the descriptor of a process is readable: the process has
// ended. It blocks no thread. It reports false if the system cannot poll the descriptor.
func awaitReadable(pidfd *os.File) (ended bool, err error) {
	conn, err := pidfd.SyscallConn()
	if err != nil {
		return false, fmt.Errorf("waiting for a process: %w", err)
	}
	waitErr := error(nil)
	err = conn.Read(func(fd uintptr) bool {
		state := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // a descriptor fits
		var n int
		n, waitErr = unix.Poll(state, 0)
		ended = n > 0 && state[0].Revents&unix.POLLIN != 0
		return ended || waitErr != nil && !errors.Is(waitErr, unix.EINTR)
	})
	return ended, errors.Join(err, waitErr)
}
