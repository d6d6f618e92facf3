//go:build !unix

package cli

import "os"

// forceSignals returns nothing: nothing sends such signals here.
func forceSignals() []os.Signal { return nil }

// watchPipes does nothing: there is no SIGPIPE here.
func watchPipes(chan<- os.Signal) {}

// hasTerminal reports false: a console that is closed ends the process here.
func hasTerminal() bool { return false }
