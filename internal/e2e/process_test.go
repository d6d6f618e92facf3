package e2e_test

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// patience bounds every wait for a process. Nothing that works comes near it,
// on a loaded machine either.
const patience = 60 * time.Second

// process is one that runs beside the test, or has ended. Everything but its
// position is for any goroutine.
type process struct {
	name    string
	cmd     *exec.Cmd
	journal *journal
	next    int // the line of the journal to look at next

	done           chan struct{} // closed when it has ended
	stdout, stderr []byte        // all that it wrote; read after done
}

// startProcess runs a program in the directory, with the environment and no
// other.
func startProcess(name, dir string, env []string, path string, args ...string) (*process, error) {
	p := &process{name: name, journal: newJournal(), done: make(chan struct{})}
	p.cmd = exec.Command(path, args...) //nolint:noctx // it is ended by signals, and by kill
	p.cmd.Dir, p.cmd.Env = dir, env
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout = p.journal.read(stdout) })
	readers.Go(func() { p.stderr = p.journal.read(stderr) })
	go func() {
		defer close(p.done)
		readers.Wait()
		_ = p.cmd.Wait() // the state says how it ended
		p.journal.end()
	}()
	return p, nil
}

// ended waits until the process has ended, and returns its exit code or the name
// of the signal that ended it.
func (p *process) ended(ctx context.Context) (string, error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return "", fmt.Errorf("%s does not end: %w", p.name, context.Cause(ctx))
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return status.Signal().String(), nil
	}
	return strconv.Itoa(p.cmd.ProcessState.ExitCode()), nil
}

// kill ends the process if it has not ended, and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}
