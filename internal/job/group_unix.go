//go:build unix

package job

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// processGroup is a POSIX process group, in a session of its own, so that the
// agent's terminal is not the job's: nobody is there to answer a question that
// is asked on it. A process that moves to another group or session leaves the
// group; where the system can tell, the family finds it.
type processGroup struct {
	id     int // of the group, of the session and of their first process; 0 before adopt
	family *family
}

func newGroup(f *family) (group, error) { return &processGroup{family: f}, nil }

func (g *processGroup) prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

func (g *processGroup) adopt(p *os.Process) error {
	g.id = p.Pid // Setsid: the child is the first of its own session and group
	return nil
}

func (g *processGroup) await(cmd *exec.Cmd) error { return awaitExit(cmd) }

func (g *processGroup) terminate(sig syscall.Signal) error { return g.send(sig) }

// kill ends the group, and then what has left it.
func (g *processGroup) kill() error { return errors.Join(g.send(syscall.SIGKILL), g.family.end(g.id)) }

func (g *processGroup) close() error { return nil }

func (g *processGroup) send(sig syscall.Signal) error {
	if err := syscall.Kill(-g.id, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %s to process group %d: %w", signalName(sig), g.id, err)
	}
	return nil
}

// signalName gives "SIGTERM" and the like.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return fmt.Sprintf("SIG%d", int(sig)) // a real-time signal has no name
}

func defaultShell() []string { return []string{"/bin/sh", "-e", "-c"} }

// hint is what to do about an error of starting a command, where the error does
// not say it.
func hint(err error) string {
	switch {
	case errors.Is(err, syscall.E2BIG):
		return ": the command or its environment is larger than the system takes; put it in a file"
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return ": this machine has no room for another process"
	default:
		return ""
	}
}
