//go:build unix

package cluster

import (
	"fmt"
	"syscall"
)

// Freeze stops the process without ending it: its connections stay open, and nothing is
// answered. Thaw continues it.
func (p *Process) Freeze() error { return p.signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (p *Process) Thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	cmd, _ := p.present()
	if err := cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %v to %s: %w", s, p.Name, err)
	}
	return nil
}
