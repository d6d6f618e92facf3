//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// historySignals returns the signals that make an agent write the history of its
// workers.
func historySignals() []os.Signal { return []os.Signal{unix.SIGUSR1} }

// signalNumber returns the number of a signal such as SIGTERM, or 0 where this
// system has none with that name.
func signalNumber(name string) int { return int(unix.SignalNum(name)) }
