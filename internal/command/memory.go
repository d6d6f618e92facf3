package command

import (
	"os"
	"runtime/debug"
	"time"
)

const (
	// startGC is the value of GOGC while an agent starts. Registering many workers
	// allocates much in a short time, most of which is not needed any more afterwards. The
	// environment's GOGC comes first.
	startGC = 50
	// streamsOpen is how long after the registration of its workers an agent returns the
	// memory of its start: by then their streams are open.
	streamsOpen = 2 * time.Second
)

// limitStartMemory limits the memory that the start of an agent takes. The returned
// function ends that, and returns to the system what only the start has needed. It is for
// a process that is an agent and nothing else.
func limitStartMemory() (started func()) {
	restore := func() {}
	if os.Getenv("GOGC") == "" {
		previous := debug.SetGCPercent(startGC)
		restore = func() { debug.SetGCPercent(previous) }
	}
	return func() {
		time.AfterFunc(streamsOpen, func() {
			restore()
			debug.FreeOSMemory()
		})
	}
}
