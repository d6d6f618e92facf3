package workspace

import "fmt"

// Cleanup is the policy for the removal of working directories. Empty means
// CleanupAlways.
type Cleanup string

// The policies.
const (
	CleanupAlways    Cleanup = "always"     // remove all
	CleanupOnSuccess Cleanup = "on-success" // remove those of jobs that succeeded
	CleanupNever     Cleanup = "never"      // keep all
)

// ParseCleanup parses the name of a policy.
func ParseCleanup(name string) (Cleanup, error) {
	switch c := Cleanup(name); c {
	case CleanupAlways, CleanupOnSuccess, CleanupNever:
		return c, nil
	default:
		return "", fmt.Errorf("must be %s, %s or %s", CleanupAlways, CleanupOnSuccess, CleanupNever)
	}
}

// Removes reports whether the working directory of a job is removed. A job has
// succeeded if it ended by itself with exit status 0.
func (c Cleanup) Removes(succeeded bool) bool {
	return c != CleanupNever && (c != CleanupOnSuccess || succeeded)
}
