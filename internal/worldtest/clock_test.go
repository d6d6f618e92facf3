package worldtest

import (
	"sync"
	"time"
	"unsafe"
)

// wallClock is the clock of one replica: the system's, with a wall clock that somebody
// has set. It implements zapcore.Clock, concurrently.
type wallClock struct {
	mu       sync.Mutex
	setBy    time.Duration // ahead of the system's wall clock
	stripped bool          // without the monotonic reading, for trials
}

// set sets the wall clock forward, or back. The monotonic clock runs on.
func (c *wallClock) set(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setBy += by
}

// strip removes the monotonic reading of every moment from now on.
func (c *wallClock) strip() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stripped = true
}

// Now returns what time.Now returns in a process whose wall clock was set: time.Add
// would move the monotonic reading too.
func (c *wallClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.stripped {
		return now.Round(0).Add(c.setBy)
	}
	if c.setBy == 0 {
		return now
	}
	shifted := now.Add(c.setBy)
	// The second word of a time with a monotonic reading is that reading.
	(*[2]uint64)(unsafe.Pointer(&shifted))[1] = (*[2]uint64)(unsafe.Pointer(&now))[1]
	return shifted
}

// NewTicker implements zapcore.Clock.
func (*wallClock) NewTicker(d time.Duration) *time.Ticker { return time.NewTicker(d) }
