package agentwire

import (
	"al.essio.dev/pkg/shellescape"
)

// shellCommand returns a command for which `/bin/sh -e -c "$BUILDKITE_COMMAND"`
// runs exactly the program argv[0] with exactly the other arguments.
//
// The program is exec'ed. Without exec, a first word such as echo or kill would
// run the shell's builtin instead of the program, a first word such as if or A=b
// would not be a command at all, and the shell would stay between the agent and
// the process and receive its signals. Not every shell's exec supports --, so the
// API refuses a command that begins with a dash.
func shellCommand(argv []string) string {
	return "exec " + shellescape.QuoteCommand(argv)
}
