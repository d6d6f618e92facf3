package wire

import (
	"fmt"
	"math"
)

// Bounds of the limits of a job.
const (
	// MinMemoryLimit is the lowest limit of memory, in bytes: a shell needs as much.
	MinMemoryLimit = 1 << 20
	// MaxMemoryLimit is the highest limit of memory, in bytes.
	MaxMemoryLimit = 1 << 50
	// MinCPUs and MaxCPUs bound a number of processors.
	MinCPUs = 0.01
	MaxCPUs = 10_000
)

// MaxRetries is the most times that a lost job can be submitted again.
const MaxRetries = 10

// Limits bound what the processes of a job may use together. Zero means no limit.
type Limits struct {
	Memory int64   `json:"memory_bytes,omitempty"` // beyond it the job is killed
	CPUs   float64 `json:"cpus,omitempty"`         // processors' time, such as 1.5; the processes wait beyond it
	PIDs   int     `json:"pids,omitempty"`         // processes and threads; no more are started beyond it
}

// Check returns an error for the first limit that is out of bounds.
func (l Limits) Check() error {
	switch {
	case l.Memory != 0 && (l.Memory < MinMemoryLimit || l.Memory > MaxMemoryLimit):
		return fmt.Errorf("memory is %d bytes, and must be 0 (no limit) or %d to %d", l.Memory, int64(MinMemoryLimit), int64(MaxMemoryLimit))
	case l.CPUs != 0 && !(l.CPUs >= MinCPUs && l.CPUs <= MaxCPUs): // false for NaN
		return fmt.Errorf("cpus is %v, and must be 0 (no limit) or %v to %d", l.CPUs, MinCPUs, int(MaxCPUs))
	case l.PIDs < 0 || l.PIDs > math.MaxInt32:
		return fmt.Errorf("pids is %d, and must be 0 (no limit) to %d", l.PIDs, math.MaxInt32)
	}
	return nil
}

// Within returns for each limit the lower one of the two.
func (l Limits) Within(other Limits) Limits {
	return Limits{Memory: lower(l.Memory, other.Memory), CPUs: lower(l.CPUs, other.CPUs), PIDs: lower(l.PIDs, other.PIDs)}
}

// lower returns the lower one of two limits, of which zero is none.
func lower[T int | int64 | float64](a, b T) T {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
