//go:build !linux

package process

import (
	"os"
	"os/signal"
	"syscall"
)

// Isolate keeps from programs those signals that are ignored because the process that has
// started this one ignores them, as with nohup. This process goes on ignoring them. It is
// called once, at the start of a process that runs jobs.
func Isolate() error {
	ignored := make(chan os.Signal, 1) // nobody reads it
	for _, sig := range []os.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if signal.Ignored(sig) {
			signal.Notify(ignored, sig)
		}
	}
	return nil
}

// withoutBlockedSignals calls start: only Linux can change what a thread blocks.
func withoutBlockedSignals(start func() error) error { return start() }
