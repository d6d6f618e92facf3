package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// Process is a process that can be ended and started again with the same arguments. Its
// methods may be called concurrently, except that one process is not started and ended
// at a time.
type Process struct {
	// Name is also the name of its folder.
	Name string
	// Dir is its folder, and LogFile has what it writes to standard output and error,
	// over all starts.
	Dir, LogFile string

	path string
	args []string
	env  []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed at the end of cmd
}

// newProcess makes the folder of a process.
func newProcess(dir, name, path string, env []string, args ...string) (*Process, error) {
	p := &Process{Name: name, Dir: filepath.Join(dir, name), path: path, args: args, env: env}
	p.LogFile = filepath.Join(p.Dir, "log")
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of %s: %w", name, err)
	}
	return p, nil
}

// Start starts the process.
func (p *Process) Start() error {
	log, err := os.OpenFile(p.LogFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", p.Name, err)
	}
	defer func() { _ = log.Close() }()                                  // the process has its own
	cmd := exec.CommandContext(context.Background(), p.path, p.args...) //nolint:gosec // signals and Kill end it
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.Dir, p.env, log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.done = cmd, done
	go func() {
		defer close(done)
		_ = cmd.Wait() // the state has how it ended
	}()
	return nil
}

// present returns the process that was started last.
func (p *Process) present() (*exec.Cmd, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd, p.done
}

// Running reports whether the process runs, or is frozen.
func (p *Process) Running() bool {
	cmd, done := p.present()
	if cmd == nil {
		return false
	}
	select {
	case <-done:
		return false
	default:
		return true
	}
}

// Kill ends the process at once, and waits for its end.
func (p *Process) Kill() {
	if cmd, done := p.present(); cmd != nil {
		_ = cmd.Process.Kill() // it may have ended
		<-done
	}
}

// Stop asks the process to end in order, and waits for that until ctx ends. An error is
// also an exit code other than 0.
func (p *Process) Stop(ctx context.Context) error {
	cmd, done := p.present()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.Name, err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("stopping %s: %w", p.Name, context.Cause(ctx))
	}
	if code := cmd.ProcessState.ExitCode(); code > 0 {
		return fmt.Errorf("%s has ended with exit code %d: see %s", p.Name, code, p.LogFile) //nolint:err113 // for people
	}
	return nil
}

// LogTail returns the end of the log, at most n bytes.
func (p *Process) LogTail(n int) string {
	data, _ := os.ReadFile(p.LogFile) // there is nothing to show otherwise
	return strings.TrimSpace(string(data[max(0, len(data)-n):]))
}
