package agent

import (
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// idleClock calls expire when all workers have been idle at the same time for the
// limit. A limit of zero never expires. Its methods may be called concurrently.
type idleClock struct {
	limit  time.Duration
	expire func()

	mu    sync.Mutex
	busy  int // workers that are not idle
	timer *time.Timer
}

// newIdleClock returns a clock for that many workers, none of them idle yet.
func newIdleClock(limit time.Duration, workers int, expire func()) *idleClock {
	return &idleClock{limit: limit, expire: expire, busy: workers}
}

// observe returns an observer for one worker that passes each record to next and
// notes when the worker becomes idle, or stops being idle.
func (c *idleClock) observe(next func(fsm.Record)) func(fsm.Record) {
	idle := false
	return func(r fsm.Record) {
		next(r)
		if now := r.Facts.Idle(r.To); now != idle {
			idle = now
			c.set(idle)
		}
	}
}

// set notes that one worker has become idle, or has stopped being idle.
func (c *idleClock) set(idle bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !idle {
		c.busy++
		c.stopLocked()
		return
	}
	c.busy--
	if c.busy == 0 && c.limit > 0 {
		c.timer = time.AfterFunc(c.limit, c.expire)
	}
}

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
