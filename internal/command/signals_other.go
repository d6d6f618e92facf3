//go:build !unix

package command

import "os"

// historySignals returns nothing: this system has no signal for it.
func historySignals() []os.Signal { return nil }
