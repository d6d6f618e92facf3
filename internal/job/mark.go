package job

import (
	"crypto/rand"
	"strings"
)

// markName is the variable by which a process is known for a job's, wherever it
// went and whoever its parent is: it is in the environment of all that a
// command starts, unless that is cleared. Its value is "CLAIM.COMMAND": the
// agent's claim on its build path, empty if it has none, and what is the
// command's alone.
const markName = "SWITCHYARD_JOB_MARK"

// newMark gives a mark that no other command on any machine has.
func newMark(claim string) string { return claim + "." + strings.ToLower(rand.Text()) }

// claimOf gives the claim in a mark; empty if there is none.
func claimOf(mark string) string {
	claim, _, _ := strings.Cut(mark, ".")
	return claim
}
