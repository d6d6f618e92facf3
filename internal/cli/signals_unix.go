//go:build unix

package cli

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// forceSignals returns the signals, besides SIGINT, SIGTERM and SIGHUP, that end a Go
// program when another process sends them.
func forceSignals() []os.Signal {
	signals := []os.Signal{
		syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGBUS,
		syscall.SIGFPE, syscall.SIGSEGV, syscall.SIGSYS,
	}
	if number := unix.SignalNum("SIGSTKFLT"); number != 0 { // not everywhere
		signals = append(signals, number)
	}
	return signals
}

// signalName returns the name of a signal, such as SIGINT.
func signalName(sig syscall.Signal) string { return unix.SignalName(sig) }

// watchPipes makes a write to a closed pipe an error that does not end the program.
func watchPipes(signals chan<- os.Signal) { signal.Notify(signals, syscall.SIGPIPE) }

// hasTerminal reports whether the process has a controlling terminal.
func hasTerminal() bool {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	_ = terminal.Close() // nothing was written
	return true
}
