//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// processGroup is a POSIX process group in a session of its own, so that the
// agent's terminal is not that of the program, which could wait for input on it. A
// process that moves to another group or session leaves the group; the tree finds
// it where the system can.
type processGroup struct {
	id   int // of the group, the session and their first process; 0 before add
	tree *tree
}

func newGroup(t *tree) (group, error) { return &processGroup{tree: t}, nil }

func (g *processGroup) prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
}

func (g *processGroup) add(p *os.Process) error {
	g.id = p.Pid // Setsid: the child is the first of its own session and group
	return nil
}

func (g *processGroup) await(cmd *exec.Cmd) error { return awaitExit(cmd) }

func (g *processGroup) terminate(sig syscall.Signal) error { return g.send(sig) }

// kill kills the group, and then what has left it.
func (g *processGroup) kill() error { return errors.Join(g.send(syscall.SIGKILL), g.tree.kill(g.id)) }

func (g *processGroup) close() error { return nil }

func (g *processGroup) send(sig syscall.Signal) error {
	if err := syscall.Kill(-g.id, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %s to process group %d: %w", SignalName(sig), g.id, err)
	}
	return nil
}
