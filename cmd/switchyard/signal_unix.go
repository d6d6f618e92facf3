//go:build unix

package main

import "golang.org/x/sys/unix"

// signalNumber is the number of a signal such as SIGTERM, or 0 where this system
// has none of that name.
func signalNumber(name string) int { return int(unix.SignalNum(name)) }
