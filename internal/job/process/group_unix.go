//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// group ends a program together with what it has started. It is a POSIX process
// group in a session of its own, so that the program cannot wait for input on the
// agent's terminal. A process that moves to another group or session leaves the
// group; the tree finds it where the system can.
type group struct {
	id   int // of the group, the session and their first process; 0 before add
	tree *tree
}

func newGroup(t *tree) (*group, error) { return &group{tree: t}, nil }

// prepare makes cmd start as the first process of the group.
func (g *group) prepare(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// add adds the started program, which leads its session and group, to the group.
func (g *group) add(p *os.Process) error {
	g.id = p.Pid
	return nil
}

// await waits for the program to end. Where the system can, it leaves the program
// unreaped, so that the ID of the group is not reused before the group has ended.
func (g *group) await(cmd *exec.Cmd, pidfd *os.File) error { return awaitExit(cmd, pidfd) }

// terminate sends a signal to the group.
func (g *group) terminate(sig syscall.Signal) error { return g.send(sig) }

// kill kills the group, and then what has left it. It returns nil if there is
// nothing to kill. It may wait for the end of what it has killed. That the program has
// ended makes the search for the others short.
func (g *group) kill(ended bool) error {
	return errors.Join(g.send(syscall.SIGKILL), g.tree.kill(g.id, ended))
}

// close releases what the group holds of the system.
func (g *group) close() error { return nil }

func (g *group) send(sig syscall.Signal) error { return signalGroup(g.id, sig) }

func signalGroup(id int, sig syscall.Signal) error {
	if err := syscall.Kill(-id, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %s to process group %d: %w", SignalName(sig), id, err)
	}
	return nil
}

// hint returns what to do about an error of starting a program, if the error does
// not say it.
func hint(err error) string {
	switch {
	case errors.Is(err, syscall.E2BIG):
		return ": the command or its environment is too large for the system; put it in a file"
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOMEM):
		return ": the machine has no room for another process"
	default:
		return ""
	}
}
