//go:build unix && !linux

package job

import (
	"fmt"
	"os/exec"
)

// awaitExit waits for the end of the command and reaps it. Only Linux offers
// the wait without the reaping through a library; here a signal to the group of
// a command that has ended might, in theory, reach a new group that has got the
// same id in between.
func awaitExit(cmd *exec.Cmd) error {
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
	}
	return nil
}
