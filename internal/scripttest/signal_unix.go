//go:build unix

package scripttest

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNumber returns the signal of a name such as SIGINT, or 0 where there is
// none.
func signalNumber(name string) syscall.Signal { return unix.SignalNum(name) }
