package process

import (
	"errors"
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Unsupported returns what jobs have to do without on this system, one sentence
// each: nothing on Linux.
func Unsupported() []string { return nil }

// awaitExit waits for the end of the program and leaves it unreaped. Until it is
// reaped, its ID and that of its group cannot be reused, so a signal to the group
// cannot reach another process.
func awaitExit(cmd *exec.Cmd) error {
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
