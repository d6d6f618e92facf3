//go:build !linux

package job

import "time"

// family is all that a command has started. Only Linux tells enough of
// processes to find those that have left the command's process group; a job
// object of Windows cannot be left.
type family struct {
	mark   string
	reaper *Reaper
	limit  time.Duration
}

func (f *family) end(int) error { return nil }

// endClaimed does nothing: a process' environment cannot be read.
func endClaimed(string, time.Duration) error { return nil }
