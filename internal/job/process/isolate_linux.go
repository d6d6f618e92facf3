package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// firstInherited is the first descriptor after standard input, output and error.
const firstInherited = 3

// Isolate keeps from programs what this process has got from the one that has started
// it: signals that are ignored, as with nohup, and open descriptors. This process goes on
// ignoring these signals. It is called once, at the start of a process that runs jobs.
// Blocked signals need no call: they are never passed on.
func Isolate() error {
	status, err := statusField(os.Getpid(), "SigIgn:")
	if err != nil {
		return err
	}
	ignored := make(chan os.Signal, 1) // nobody reads it
	for sig := syscall.Signal(1); sig <= lastRealTime; sig++ {
		// The runtime starts programs with the default for a signal that it handles.
		if status&(1<<(sig-1)) != 0 {
			signal.Notify(ignored, sig)
		}
	}
	return closeOnExec()
}

// closeOnExec marks all inherited descriptors so that programs do not get them.
func closeOnExec() error {
	err := unix.CloseRange(firstInherited, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	names, dirErr := os.ReadDir("/proc/self/fd") // a kernel before 5.11
	if dirErr != nil {
		return fmt.Errorf("keeping inherited descriptors from jobs: %w", errors.Join(err, dirErr))
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd >= firstInherited {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// withoutBlockedSignals calls start, which starts a program, with no signal blocked: a
// program inherits the blocked signals of the thread that starts it, and the threads of
// this process have those of the process that has started it.
func withoutBlockedSignals(start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.Sigset_t
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, &before); err != nil {
		return fmt.Errorf("unblocking signals: %w", err)
	}
	err := start()
	return errors.Join(err, unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil))
}
