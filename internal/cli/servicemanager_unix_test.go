//go:build unix

package cli

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listenAsManager returns the socket of a service manager, which the program notifies.
func listenAsManager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return manager
}

// TestWatchdogSocket checks that a service manager that wants signs of life receives them,
// after that of the start.
func TestWatchdogSocket(t *testing.T) {
	manager := listenAsManager(t)
	t.Setenv("WATCHDOG_USEC", "30000") // 30 ms
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	received := make(chan string)
	go func() {
		defer close(received)
		buffer := make([]byte, 1<<10)
		for n, err := manager.Read(buffer); err == nil; n, err = manager.Read(buffer) {
			received <- string(buffer[:n])
		}
	}()
	d := Daemon{Notef: t.Logf, Reload: func() {}, Alive: func(context.Context) error { return nil }}
	err := d.Run(func() error {
		for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
			if got := <-received; got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		go func() {
			for range received { //nolint:revive // what comes until the end
			}
		}()
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestServiceManager checks what a service manager receives about a daemon that starts,
// reloads, and stops.
func TestServiceManager(t *testing.T) {
	manager := listenAsManager(t)
	told := func() string {
		buffer := make([]byte, 1<<10)
		if err := manager.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(buffer[:n]), "\n")
		return first
	}
	d := Daemon{
		Notef: t.Logf, Reload: func() {}, Steps: []Step{{Message: "stopping", Do: func() {}}},
	}
	signals, ended, done := make(chan os.Signal), make(chan error), make(chan error)
	notifyServiceManager(serviceReady)
	go func() { done <- d.await(signals, ended, false) }()
	signals <- syscall.SIGHUP
	signals <- syscall.SIGTERM
	signals <- syscall.SIGHUP // a program that stops is not ready again
	ended <- nil
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	notifyServiceManager("END")
	for _, want := range []string{"READY=1", "RELOADING=1", "READY=1", "STOPPING=1", "END"} {
		if got := told(); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
}
