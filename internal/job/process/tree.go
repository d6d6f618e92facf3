package process

import (
	"crypto/rand"
	"runtime"
	"strings"
	"time"
)

// MarkVariable is an environment variable that identifies the processes of a program,
// whatever their parents are: all that the program starts inherit it, unless they
// clear it. Its value is "CLAIM.RANDOM": the agent's claim on its build path, empty
// if there is none, and a random part of this program alone.
const MarkVariable = "SWITCHYARD_JOB_MARK"

// newMark returns a mark that no other program on any machine has.
func newMark(claim string) string { return claim + "." + strings.ToLower(rand.Text()) }

// claimOf returns the claim of a mark, or "".
func claimOf(mark string) string {
	claim, _, _ := strings.Cut(mark, ".")
	return claim
}

// tree is all processes that a program has started, including those that have left
// its process group and its session.
type tree struct {
	mark   string
	reaper *Reaper       // nil: finds only processes with the mark, of the session, and their descendants
	cgroup *cgroup       // of the program; nil: none
	limit  time.Duration // for the end of killed processes
	// unsure is set by kill if it has left a process alone that may be of the tree.
	unsure bool
}

// Unsupported returns what jobs have to do without on this system, as one message
// for each limit.
func Unsupported() []string {
	switch runtime.GOOS {
	case "linux":
		return nil
	case "windows":
		return []string{
			"a canceled job gets CTRL_BREAK, which only programs with a console receive; Windows has no signals",
			"jobs cannot have a terminal (setting pty): Windows has no pseudo-terminals",
			"processes that a command starts before it is in its job object are not ended with it",
		}
	default:
		return []string{
			"a process that leaves the process group of its job, such as a daemon, is not found at the end of the job",
			"processes of jobs whose agent was killed are not found when the agent starts again",
		}
	}
}
