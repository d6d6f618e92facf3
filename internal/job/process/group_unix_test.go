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
