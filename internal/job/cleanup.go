package job

import "fmt"

// Cleanup says which jobs' working directories are removed.
type Cleanup string

// The policies.
const (
	CleanupAlways    Cleanup = "always"     // whatever happens
	CleanupOnSuccess Cleanup = "on-success" // those of jobs that ended with status 0 by themselves
	CleanupNever     Cleanup = "never"      // none: that is left to others
)

// ParseCleanup reads a policy by its name.
func ParseCleanup(name string) (Cleanup, error) {
	switch c := Cleanup(name); c {
	case CleanupAlways, CleanupOnSuccess, CleanupNever:
		return c, nil
	default:
		return "", fmt.Errorf("unknown policy %q: it must be %s, %s or %s", name, CleanupAlways, CleanupOnSuccess, CleanupNever)
	}
}

// removes tells whether the working directory of a job that ended so is to be
// removed.
func (c Cleanup) removes(r Result) bool {
	switch c {
	case CleanupNever:
		return false
	case CleanupOnSuccess:
		return r.ExitStatus == "0" && r.SignalReason == ReasonNone && r.Canceled == nil
	default:
		return true
	}
}
