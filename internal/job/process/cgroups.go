package process

import "time"

// Limits bound what one program may use with all that it starts. Zero means no limit.
type Limits struct {
	Memory int64   // in bytes; the system kills the program's processes beyond it
	CPUs   float64 // processors' time, such as 1.5; the processes wait beyond it
	PIDs   int     // processes and threads; no more are started beyond it
}

// killWaitStep is how long a control group may take to be empty before it is looked at
// again.
const killWaitStep = 5 * time.Millisecond
