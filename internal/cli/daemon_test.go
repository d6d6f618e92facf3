package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestDaemonReturnsTheError checks that a daemon that ends by itself takes no step.
func TestDaemonReturnsTheError(t *testing.T) {
	failed := errors.New("failed")
	d := Daemon{Notef: t.Logf, Reload: func() { t.Error("reloaded") }, Steps: []Step{{Message: "stopping", Do: func() { t.Error("a step was taken") }}}}
	if err := d.Run(func() error { return failed }); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
}

// TestDaemonSignals sends signals to a daemon with two steps, drain and force, and
// checks what each of them does.
func TestDaemonSignals(t *testing.T) {
	const (
		hup, interrupt, quit, abort, term = syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGTERM

		moment = 5 * time.Millisecond
	)
	type sent struct {
		after  time.Duration // the signal before
		signal syscall.Signal
	}
	for _, c := range []struct {
		name     string
		terminal bool
		signals  []sent
		want     string // what happens, in order
	}{
		{"one request", false, []sent{{0, term}}, "drain"},
		{"a request sent twice", false, []sent{{0, term}, {moment, term}}, "drain"},
		{"two kinds of one request", false, []sent{{0, interrupt}, {moment, term}}, "drain"},
		{"a request sent many times", false, []sent{{0, term}, {moment, term}, {moment, term}, {moment, term}, {moment, term}}, "drain"},
		{"two requests", false, []sent{{0, term}, {time.Second, term}}, "drain force"},
		{"two requests, sent twice", false, []sent{{0, term}, {moment, term}, {2 * time.Second, term}, {moment, term}}, "drain force"},
		{"three requests", false, []sent{{0, term}, {time.Second, interrupt}, {time.Second, term}}, "drain force kill exit 143"},
		{"a hangup of a service", false, []sent{{0, hup}, {time.Minute, hup}}, "reload reload"},
		{"a hangup of a service that stops", false, []sent{{0, term}, {moment, hup}}, "drain reload"},
		{"the terminal is closed", true, []sent{{0, hup}, {time.Minute, hup}}, "drain"},
		{"the terminal is closed, and a request", true, []sent{{0, hup}, {time.Minute, term}}, "drain force"},
		{"a request, and the terminal is closed", true, []sent{{0, term}, {time.Minute, hup}}, "drain"},
		{"quit", true, []sent{{0, quit}}, "drain force"},
		{"quit, sent twice", true, []sent{{0, quit}, {moment, quit}}, "drain force"},
		{"quit after a request", true, []sent{{0, term}, {moment, quit}}, "drain force"},
		{"quit twice", true, []sent{{0, quit}, {time.Second, quit}}, "drain force kill exit 131"},
		{"abort", false, []sent{{0, abort}}, "drain force"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var done []string
				do := func(what string) func() { return func() { done = append(done, what) } }
				d := Daemon{
					Steps: []Step{{Message: "draining", Do: do("drain")}, {Message: "forcing", Do: do("force")}}, Kill: do("kill"),
					Reload: do("reload"), Notef: func(string, ...any) {},
				}
				signals, ended := make(chan os.Signal), make(chan error)
				go func() {
					for _, s := range c.signals {
						time.Sleep(s.after)
						signals <- s.signal
					}
					if !strings.Contains(c.want, "exit") {
						ended <- nil
					}
				}()
				err := d.await(signals, ended, c.terminal)
				if exit, ok := errors.AsType[*ExitError](err); ok {
					done = append(done, fmt.Sprintf("exit %d", exit.Code))
				}
				if got := strings.Join(done, " "); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			})
		})
	}
}
