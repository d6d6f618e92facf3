package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// stepPause is the least time between two steps of a daemon. Programs such as timeout,
// and terminals, send one request to stop as several signals.
const stepPause = time.Second

// signalBuffer is room for signals that arrive while a step is taken.
const signalBuffer = 16

// Step is what a request to stop does to a daemon, and the message that says so.
type Step struct {
	Do      func()
	Message string
}

// Daemon is how a program that runs until it is stopped reacts to signals.
type Daemon struct {
	// Steps are what the first, second, ... request to stop does.
	Steps []Step
	// Reload reads those settings again that may change while the program runs, and
	// reports what came of it. It is called at SIGHUP, one call at a time. Required.
	Reload func()
	// Alive returns nil if the program works: what it does all the time goes on. It is called
	// if the service manager restarts programs that do not (systemd: WatchdogSec=), and may
	// take until ctx ends; one that does not return means that the program hangs. Nil means
	// that the service manager receives nothing.
	Alive func(ctx context.Context) error
	// Kill is called before the program exits at once. Nil does nothing.
	Kill func()
	// Notef writes a message for people.
	Notef func(format string, args ...any)
}

// Run calls run and returns its error. Meanwhile
//
//   - SIGINT or SIGTERM takes the next step, if the last one is at least a second old;
//   - SIGHUP takes the first step if the program has a terminal, which is lost then, and
//     calls Reload in a service. One that was ignored from the start stays ignored;
//   - SIGQUIT, and every other signal that would end the program without any step, takes
//     all steps that are left.
//
// The request after the last step makes Run return at once, with the signal's exit code,
// while run goes on until the process ends. The service manager is notified when the program
// is ready, which it is when Run is called, when it reloads and stops, and while it is alive.
func (d Daemon) Run(run func() error) error {
	signals := make(chan os.Signal, signalBuffer)
	signal.Notify(signals, append([]os.Signal{syscall.SIGINT, syscall.SIGTERM}, forceSignals()...)...)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	broken := make(chan os.Signal, 1)
	watchPipes(broken)
	defer signal.Stop(signals)
	defer signal.Stop(broken)
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	notifyServiceManager(serviceReady)
	defer notifyServiceManager(serviceStopping)
	defer d.startWatchdog()()
	return d.await(signals, ended, hasTerminal())
}

// await returns the error that run has ended with, or that of a signal.
func (d Daemon) await(signals <-chan os.Signal, ended <-chan error, terminal bool) error {
	taken, last := 0, time.Time{} // the number of steps, and when the last one was taken
	for {
		var received os.Signal
		select {
		case err := <-ended:
			return err
		case received = <-signals:
		}
		if received == syscall.SIGHUP && !terminal {
			d.reload(taken > 0)
			continue
		}
		steps := steps(received, taken, len(d.Steps))
		recent := taken > 0 && time.Since(last) < stepPause
		switch {
		case steps == 0, recent && taken == len(d.Steps), recent && !forces(received):
			continue
		case taken == len(d.Steps):
			return d.exit(received)
		}
		notifyServiceManager(serviceStopping)
		for _, step := range d.Steps[taken : taken+steps] {
			d.Notef("%s", step.Message)
			step.Do()
		}
		taken, last = taken+steps, time.Now()
	}
}

// reload calls Reload. A program that stops is not ready again after that.
func (d Daemon) reload(stopping bool) {
	if stopping {
		d.Reload()
		return
	}
	notifyServiceManager(serviceReloading())
	d.Reload()
	notifyServiceManager(serviceReady)
}

// steps returns how many of all steps a signal takes. After the last one it is 1 for a
// signal that ends the program.
func steps(received os.Signal, taken, all int) int {
	switch {
	case received == syscall.SIGHUP && taken > 0:
		return 0 // the terminal is lost once
	case forces(received):
		return max(1, all-taken)
	default:
		return 1
	}
}

// forces reports whether a signal does not wait for what runs.
func forces(received os.Signal) bool { return slices.Contains(forceSignals(), received) }

// exit ends the daemon at once, for a signal.
func (d Daemon) exit(received os.Signal) error {
	d.Notef("exiting at once")
	if d.Kill != nil {
		d.Kill()
	}
	number, _ := received.(syscall.Signal)
	return &ExitError{Code: ExitSignal + int(number)}
}
