//go:build !linux

package process

import (
	"errors"
	"fmt"
	"os/exec"
	"time"

	"go.uber.org/zap"
)

// Cgroups makes no control groups: only Linux has them.
type Cgroups struct{}

// OpenCgroups returns an error that wraps errors.ErrUnsupported.
func OpenCgroups(string, Limits, *zap.Logger) (*Cgroups, error) {
	return nil, fmt.Errorf("control groups: %w", errors.ErrUnsupported)
}

// Dir returns "".
func (*Cgroups) Dir() string { return "" }

// Close does nothing.
func (*Cgroups) Close() error { return nil }

// RemoveCgroups does nothing.
func RemoveCgroups(string, string, time.Duration) error { return nil }

// Check returns an ErrNoLimits if there are limits.
func (*Cgroups) Check(limits Limits) error {
	if names := limits.controllers(); len(names) > 0 {
		return fmt.Errorf("%w: only Linux has control groups", ErrNoLimits)
	}
	return nil
}

func (c *Cgroups) make(limits Limits) (*cgroup, error) { return nil, c.Check(limits) }

func (*Cgroups) replace(*cgroup) error { return nil }

func (*Cgroups) failed(error) {}

type cgroup struct{}

func (*cgroup) startIn(*exec.Cmd) {}

func (*cgroup) kill(time.Duration) error { return nil }

func (*cgroup) addUsage(*Usage) {}

func (*cgroup) remove() error { return nil }
