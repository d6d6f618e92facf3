//go:build !linux

package job

// NewReaper gives a Reaper that does nothing: this system has no subreaper.
func NewReaper() (*Reaper, error) { return &Reaper{started: map[int]startedCommand{}}, nil }

// Close does nothing.
func (r *Reaper) Close() error { return nil }

func startOf(int) uint64 { return 0 }
