//go:build !unix

package main

import "os"

// historySignals are none: this system has no signal for it.
func historySignals() []os.Signal { return nil }

// signalNumber is 0: this system has no numbers for signals.
func signalNumber(string) int { return 0 }
