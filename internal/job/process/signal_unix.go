//go:build unix

package process

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// The real-time signals of Linux for programs; its C library has taken 32 and 33. They
// are named as kill(1) does: SIGRTMIN, SIGRTMIN+1 and so on.
const (
	firstRealTime, lastRealTime = 34, 64
	realTimeName                = "SIGRTMIN"
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
		return 0, errors.New("must be the name of a signal, such as SIGINT")
	case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGCONT,
		syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH:
		return 0, errors.New("must be a signal that ends a process, such as SIGINT")
	default:
		return sig, nil
	}
}

// SignalName returns the name of a signal, such as "SIGTERM", "SIGRTMIN+1", or "SIG32"
// for one without a name.
func SignalName(sig syscall.Signal) string {
	switch name := unix.SignalName(sig); {
	case name != "":
		return name
	case sig == firstRealTime:
		return realTimeName
	case sig > firstRealTime && sig <= lastRealTime:
		return fmt.Sprintf("%s+%d", realTimeName, int(sig)-firstRealTime)
	default:
		return fmt.Sprintf("SIG%d", int(sig))
	}
}

// SignalNumber returns the number of the signal with that name, or of a number, as
// other agents send it. It returns 0 for a signal that does not exist here.
func SignalNumber(name string) int {
	if sig := unix.SignalNum(name); sig != 0 {
		return int(sig)
	}
	if name == realTimeName {
		return firstRealTime
	}
	base, text := 0, strings.TrimPrefix(name, "SIG")
	if offset, ok := strings.CutPrefix(name, realTimeName+"+"); ok {
		base, text = firstRealTime, offset
	}
	number, err := strconv.ParseUint(text, 10, 8)
	if err != nil || base+int(number) > lastRealTime {
		return 0
	}
	return base + int(number)
}
