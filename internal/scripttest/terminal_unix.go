//go:build unix

package scripttest

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// StartInTerminal is Start in a session with a terminal of its own, to which the
// process writes both streams. HangUp closes the terminal.
func StartInTerminal(name, dir string, env []string, path string, args ...string) (*Process, error) {
	screen, terminal, err := openTerminal()
	if err != nil {
		return nil, fmt.Errorf("opening a terminal for %s: %w", name, err)
	}
	defer func() { _ = terminal.Close() }() // the process has its own
	p := &Process{Name: name, Journal: newJournal(), done: make(chan struct{}), terminal: screen}
	p.Cmd = exec.Command(path, args...) //nolint:gosec,noctx // the test names it; signals and Kill end it
	p.Cmd.Dir, p.Cmd.Env = dir, env
	p.Cmd.Stdin, p.Cmd.Stdout, p.Cmd.Stderr = terminal, terminal, terminal
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.Cmd.Start(); err != nil {
		_ = screen.Close()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		p.stdout = p.Journal.read(screen, stdout) // until the process has ended, or HangUp
		_ = p.Cmd.Wait()                          // the state has how it ended
		_ = screen.Close()
		p.Journal.end()
	}()
	return p, nil
}

// openTerminal returns both sides of a new terminal. Package pty leaves its own side in
// blocking mode, in which Close waits for a Read.
func openTerminal() (screen, terminal *os.File, err error) {
	blocking, terminal, err := pty.Open()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // StartInTerminal names the process
	}
	defer func() { _ = blocking.Close() }()
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		_ = terminal.Close()
		return nil, nil, err //nolint:wrapcheck // the same
	}
	return os.NewFile(uintptr(fd), "terminal"), terminal, nil
}
