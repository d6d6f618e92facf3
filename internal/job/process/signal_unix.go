//go:build unix

package process

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ParseSignal parses the name of a cancel signal, with or without "SIG", in any
// case. It returns an error for a signal that does not end a process.
func ParseSignal(name string) (syscall.Signal, error) {
	full := strings.ToUpper(name)
	if !strings.HasPrefix(full, "SIG") {
		full = "SIG" + full
	}
	sig := unix.SignalNum(full)
	switch sig {
	case 0:
		return 0, fmt.Errorf("unknown signal %q", name)
	case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGCONT,
		syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH:
		return 0, fmt.Errorf("signal %s does not end a process", full)
	default:
		return sig, nil
	}
}

// SignalName returns the name of a signal, such as "SIGTERM".
func SignalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("SIG%d", int(sig)) // a real-time signal has no name
}

// hint returns what to do about an error of starting a program, if the error does
// not say it.
func hint(err error) string {
	switch {
	case errors.Is(err, syscall.E2BIG):
		return ": the command or its environment is too large for the system; put it in a file"
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return ": the machine has no room for another process"
	default:
		return ""
	}
}
