//go:build unix

package command

import (
	"os"

	"golang.org/x/sys/unix"
)

// historySignals returns the signals that make an agent write the history of its
// workers.
func historySignals() []os.Signal { return []os.Signal{unix.SIGUSR1} }
