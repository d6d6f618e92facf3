//go:build !linux

package process

import "time"

// kill does nothing: only Linux has the information to find processes that have
// left the group. On Windows no process can leave its job object.
func (t *tree) kill(int) error { return nil }

// KillClaimed does nothing: only Linux shows the environment of processes.
func KillClaimed(string, time.Duration) error { return nil }

// NewReaper returns a Reaper that does nothing: this system has no subreaper.
func NewReaper() (*Reaper, error) { return &Reaper{started: map[int]startedProgram{}}, nil }

// Close does nothing.
func (r *Reaper) Close() error { return nil }

func startTime(int) uint64 { return 0 }
