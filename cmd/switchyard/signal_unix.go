//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// historySignals ask a daemon for what its workers did last.
func historySignals() []os.Signal { return []os.Signal{unix.SIGUSR1} }

// signalNumber is the number of a signal such as SIGTERM, or 0 where this system
// has none of that name.
func signalNumber(name string) int { return int(unix.SignalNum(name)) }
