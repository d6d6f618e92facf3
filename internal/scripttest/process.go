package scripttest

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Patience bounds every wait for a process. A process that works takes much less,
// on a loaded machine too.
const Patience = 60 * time.Second

// Process is a process that runs beside a test, or has ended. Its methods may be
// called concurrently.
type Process struct {
	Name    string
	Cmd     *exec.Cmd
	Journal *Journal

	done           chan struct{} // closed at its end
	stdout, stderr []byte        // everything that it wrote; read after done
	next           Position      // in the journal, after the expected lines
	terminal       io.Closer     // nil without a terminal
}

// Start runs a program in the directory, with env as its whole environment.
func Start(name, dir string, env []string, path string, args ...string) (*Process, error) {
	p := &Process{Name: name, Journal: newJournal(), done: make(chan struct{})}
	p.Cmd = exec.Command(path, args...) //nolint:gosec,noctx // the test names it; signals and Kill end it
	p.Cmd.Dir, p.Cmd.Env = dir, env
	stdoutPipe, err := p.Cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	stderrPipe, err := p.Cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := p.Cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout = p.Journal.read(stdoutPipe, stdout) })
	readers.Go(func() { p.stderr = p.Journal.read(stderrPipe, stderr) })
	go func() {
		defer close(p.done)
		readers.Wait()
		_ = p.Cmd.Wait() // the state has how it ended
		p.Journal.end()
	}()
	return p, nil
}

// Wait waits until the process has ended, and returns its exit code or the name of
// the signal that ended it.
func (p *Process) Wait(ctx context.Context) (string, error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return "", fmt.Errorf("%s does not end: %w", p.Name, context.Cause(ctx))
	}
	if status, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal().String(), nil
	}
	return strconv.Itoa(p.Cmd.ProcessState.ExitCode()), nil
}

// Kill ends the process if it still runs, and waits for its end.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended
	<-p.done
}

// HangUp closes the terminal of a process that StartInTerminal started, as a window
// that is closed does: the system sends SIGHUP.
func (p *Process) HangUp() error {
	if p.terminal == nil {
		return fmt.Errorf("%s has no terminal", p.Name) //nolint:err113 // for the test's log
	}
	return p.terminal.Close() //nolint:wrapcheck // for the test's log
}

// Stderr returns what the process has written to standard error. It may be called
// after its end.
func (p *Process) Stderr() []byte { return p.stderr }
