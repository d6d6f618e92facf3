package cli

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// watchdogRate is how often the service manager is notified in the time after which it
// restarts a program that is silent.
const watchdogRate = 3

// watchdog notifies the service manager that the program works.
type watchdog struct {
	interval time.Duration
	alive    func(context.Context) error
	notify   func(state string)
	notef    func(format string, args ...any)
}

// startWatchdog starts the watchdog if the service manager waits for it (systemd:
// WatchdogSec=). The returned function ends it.
func (d Daemon) startWatchdog() (stop func()) {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		d.Notef("the service manager asks for signs of life in a form that is not understood, and gets none: %v", err)
	}
	if within <= 0 || d.Alive == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	go watchdog{interval: within / watchdogRate, alive: d.Alive, notify: notifyServiceManager, notef: d.Notef}.run(ctx)
	return cancel // not waited for: what hangs must not keep the program from ending
}

// run notifies the service manager in each interval in which the program has shown that it
// works, until the context ends. Of several failures in a row it writes the first one.
func (w watchdog) run(ctx context.Context) {
	ticker := time.NewTicker(w.interval)
	defer ticker.Stop()
	failing := false
	for {
		checkCtx, cancel := context.WithTimeout(ctx, w.interval)
		err := w.alive(checkCtx)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			w.notify(daemon.SdNotifyWatchdog)
		case !failing:
			w.notef("not working, and restarted by the service manager unless that ends: %v", err)
		}
		failing = err != nil
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
