//go:build unix && !linux

package process

import (
	"fmt"
	"os/exec"
)

// Unsupported returns what jobs have to do without on this system, one sentence
// each.
func Unsupported() []string {
	return []string{
		"a process that leaves the process group of its job, such as a daemon, is not found at the end of the job",
		"processes of jobs whose agent was killed are not found when the agent starts again",
	}
}

// awaitExit waits for the end of the program and reaps it. Waiting without reaping
// is available on Linux only. Here a signal to the group of a program that has
// ended could, in theory, reach a new group with the same ID.
func awaitExit(cmd *exec.Cmd) error {
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
	}
	return nil
}
