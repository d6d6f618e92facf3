package process

import (
	"errors"
	"time"
)

// Limits bound what one program may use with all that it starts. Zero means no limit.
type Limits struct {
	Memory int64   // in bytes; the system kills the program's processes beyond it
	CPUs   float64 // processors' time, such as 1.5; the processes wait beyond it
	PIDs   int     // processes and threads; no more are started beyond it
}

// ErrNoLimits means that a program's limits cannot be kept on this system.
var ErrNoLimits = errors.New("limits cannot be kept")

// controllers returns the controllers of the system that the limits need.
func (l Limits) controllers() []string {
	var names []string
	for _, c := range []struct {
		name   string
		needed bool
	}{{"memory", l.Memory > 0}, {"cpu", l.CPUs > 0}, {"pids", l.PIDs > 0}} {
		if c.needed {
			names = append(names, c.name)
		}
	}
	return names
}

// killWaitStep is how long a control group may take to be empty before it is looked at
// again.
const killWaitStep = 5 * time.Millisecond
