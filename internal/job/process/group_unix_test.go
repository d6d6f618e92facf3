//go:build unix

package process

import (
	"syscall"
	"testing"
)

func TestParseSignal(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]syscall.Signal{
		"SIGTERM": syscall.SIGTERM, "TERM": syscall.SIGTERM, "sigint": syscall.SIGINT, "quit": syscall.SIGQUIT, "KILL": syscall.SIGKILL,
		"": 0, "SIG": 0, "15": 0, "SIGSTOP": 0, "WINCH": 0, "nothing": 0,
	} {
		if got, err := ParseSignal(name); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %v, %v; want %v", name, got, err, want)
		}
	}
}

// TestSignalNames checks that every signal has a name, which stands for its number.
func TestSignalNames(t *testing.T) {
	t.Parallel()
	for sig := syscall.Signal(1); sig <= lastRealTime; sig++ {
		if name := SignalName(sig); SignalNumber(name) != int(sig) {
			t.Errorf("signal %d is %s, which is number %d", int(sig), name, SignalNumber(name))
		}
	}
	for name, want := range map[string]int{
		"SIGTERM": 15, "SIGRTMIN": 34, "SIGRTMIN+1": 35, "SIGRTMIN+30": 64, "34": 34, "SIG34": 34,
		"": 0, "SIGRTMIN+31": 0, "SIGRTMIN+": 0, "SIG65": 0, "SIG-1": 0, "SIGNOTHING": 0, "999": 0,
	} {
		if got := SignalNumber(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}
