//go:build !unix

package main

import "os"

// historySignals returns nothing: this system has no signal for it.
func historySignals() []os.Signal { return nil }

// signalNumber returns 0: this system has no numbers for signals.
func signalNumber(string) int { return 0 }
