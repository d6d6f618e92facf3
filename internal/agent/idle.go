package agent

import (
	"sync"
	"time"
)

// idleClock runs while all workers are idle, and calls expire when it has run
// for long enough: one idle worker beside a busy one is no idle agent. Its
// methods may be called concurrently.
type idleClock struct {
	limit  time.Duration
	expire func()

	mu    sync.Mutex
	busy  int // workers that are not idle
	timer *time.Timer
}

// newIdleClock returns the clock of so many workers, none of them idle yet.
func newIdleClock(limit time.Duration, workers int, expire func()) *idleClock {
	return &idleClock{limit: limit, expire: expire, busy: workers}
}

// set says that one worker has become idle, or has ceased to be.
func (c *idleClock) set(idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !idle {
		c.busy++
		c.stopLocked()
		return
	}
	c.busy--
	if c.busy == 0 {
		c.timer = time.AfterFunc(c.limit, c.expire)
	}
}

// stop ends the clock.
func (c *idleClock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopLocked()
}

func (c *idleClock) stopLocked() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}
