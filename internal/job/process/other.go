//go:build !linux

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// awaitExit waits for the end of the program and reaps it. Only Linux can wait without
// reaping. Here a signal to the group of a program that has ended could, in theory,
// reach a new group with the same ID.
func awaitExit(cmd *exec.Cmd, _ *os.File) error {
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
	}
	return nil
}

// openPidfd does nothing: only Linux has descriptors of processes.
func openPidfd(*exec.Cmd) (pidfd func() *os.File) { return func() *os.File { return nil } }

// kill does nothing: only Linux has the information to find processes that have
// left the group. On Windows no process can leave its job object.
func (t *tree) kill(int, bool) error { return nil }

// KillClaimed does nothing: only Linux shows the environment of processes.
func KillClaimed(string, time.Duration) error { return nil }

// NewReaper returns a Reaper that does nothing: this system has no subreaper.
func NewReaper() (*Reaper, error) { return &Reaper{started: map[int]string{}}, nil }

// Close does nothing.
func (r *Reaper) Close() error { return nil }

// KillAll kills the process groups of all programs; on Windows their job objects end
// with this process. No program can be started any more.
func (r *Reaper) KillAll(time.Duration) error {
	if r == nil {
		return nil
	}
	r.end()
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for pid := range r.started {
		errs = append(errs, killGroup(pid))
	}
	return errors.Join(errs...)
}

// handles reports false: only Linux shows the handlers of a process.
func handles(int, syscall.Signal) bool { return false }
