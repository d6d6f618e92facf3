//go:build unix && !linux

package process

import "syscall"

// killGroup kills a process group.
func killGroup(id int) error { return signalGroup(id, syscall.SIGKILL) }
