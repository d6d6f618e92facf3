package job

import (
	"errors"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// removalsAtOnce bounds the removals that run at the same time.
	removalsAtOnce = 4
	// removalDelay is the time from the end of a job until what it leaves is removed, so that
	// the results of jobs that end together do not wait for it.
	removalDelay = 100 * time.Millisecond
	// maxRemovals bounds the removals that wait for their delay. A job that ends while as many
	// wait, and as many run as may, waits too, so that a slow disk does not fill.
	maxRemovals = 64
)

// Cleaner removes what jobs that have ended leave, such as their working directories, while
// their workers go on with other jobs: a large directory takes seconds, and on a busy disk any
// does. Its methods may be called concurrently.
type Cleaner struct {
	removals errgroup.Group

	mu      sync.Mutex
	waiting []func()
	timer   *time.Timer // of those that wait; nil if none do
	passes  sync.WaitGroup
}

// NewCleaner returns a cleaner. The caller must call Close when no job runs any more.
func NewCleaner() *Cleaner {
	c := &Cleaner{}
	c.removals.SetLimit(removalsAtOnce)
	return c
}

// remove calls f in a goroutine after a while, or itself at once if c is nil. It waits while
// maxRemovals wait and removalsAtOnce are being called.
func (c *Cleaner) remove(f func()) {
	switch {
	case c == nil:
		f()
	case !c.queue(f):
		c.begin(f)
	}
}

// queue adds a removal to those that wait, unless there are too many.
func (c *Cleaner) queue(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= maxRemovals {
		return false
	}
	c.waiting = append(c.waiting, f)
	if c.timer == nil {
		c.passes.Add(1)
		c.timer = time.AfterFunc(removalDelay, c.pass)
	}
	return true
}

// pass begins the removals that wait.
func (c *Cleaner) pass() {
	defer c.passes.Done()
	c.mu.Lock()
	due := c.waiting
	c.waiting, c.timer = nil, nil
	c.mu.Unlock()
	for _, f := range due {
		c.begin(f)
	}
}

// begin calls f in a goroutine. It waits while removalsAtOnce are being called.
func (c *Cleaner) begin(f func()) {
	c.removals.Go(func() error {
		f()
		return nil
	})
}

// withRoom calls f, and if that fails because the disk is full, again after the removals that
// still wait, which this goroutine does at once: the job before may have filled the disk.
func (c *Cleaner) withRoom(f func() error) error {
	err := f()
	if c == nil || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	c.mu.Lock()
	due := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, remove := range due {
		remove()
	}
	return f()
}

// Close begins the removals that wait, and waits for all.
func (c *Cleaner) Close() {
	c.mu.Lock()
	early := c.timer != nil && c.timer.Stop()
	c.mu.Unlock()
	if early {
		c.pass()
	}
	c.passes.Wait()
	_ = c.removals.Wait() // none returns an error
}
