package agentwire

import (
	"al.essio.dev/pkg/shellescape"
)

// shellCommand writes argv so that `/bin/sh -e -c "$BUILDKITE_COMMAND"` runs
// exactly that program with exactly those arguments.
//
// The command is exec'ed. Without it a first word such as echo or kill would be
// the shell's own, which differs from the program of that name, and one such as
// if or A=b would not be a command at all; and the shell would stand between the
// agent and the process, and answer signals in its place. Not every shell's exec
// takes --, so that a first word which begins with a dash is refused at
// submission.
func shellCommand(argv []string) string {
	return "exec " + shellescape.QuoteCommand(argv)
}
