//go:build !unix

package cli

import (
	"os"
	"syscall"
)

// forceSignals returns nothing: nothing sends such signals here.
func forceSignals() []os.Signal { return nil }

// signalName returns the name of a signal, in words.
func signalName(sig syscall.Signal) string { return sig.String() }

// watchPipes does nothing: there is no SIGPIPE here.
func watchPipes(chan<- os.Signal) {}

// hasTerminal reports false: a console that is closed ends the process here.
func hasTerminal() bool { return false }
