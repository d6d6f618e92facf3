//go:build !unix

package scripttest

import "syscall"

// signalNumber returns the signal of a name such as SIGINT, or 0 where there is
// none.
func signalNumber(name string) syscall.Signal {
	return map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM, "SIGKILL": syscall.SIGKILL}[name]
}
