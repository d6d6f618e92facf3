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

func (*Cgroups) make() (*cgroup, error) { return nil, nil } //nolint:nilnil // no group is not an error

func (*Cgroups) cannot(error) bool { return false }

type cgroup struct{}

func (*cgroup) startIn(*exec.Cmd) {}

func (*cgroup) kill(time.Duration) error { return nil }

func (*cgroup) addUsage(*Usage) {}

func (*cgroup) remove() error { return nil }
