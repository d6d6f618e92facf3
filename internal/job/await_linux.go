package job

import (
	"errors"
	"fmt"
	"os/exec"

	"golang.org/x/sys/unix"
)

// awaitExit waits for the end of the command and leaves it unreaped: until it
// is, its id and that of its group are its own, and signals to the group cannot
// hit a stranger.
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
