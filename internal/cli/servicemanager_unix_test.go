//go:build unix

package cli

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServiceManager checks what a service manager receives about a daemon that starts,
// reloads, and stops.
func TestServiceManager(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", path)
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
