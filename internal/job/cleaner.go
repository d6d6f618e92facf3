package job

import "golang.org/x/sync/errgroup"

// removalsAtOnce bounds the working directories that are removed at the same time. A job
// that ends while as many are waits, so that a slow disk does not fill.
const removalsAtOnce = 4

// Cleaner removes the working directories of jobs that have ended, while their workers go
// on with other jobs: a large one takes seconds, and on a busy disk any does. Its methods
// may be called concurrently.
type Cleaner struct{ removals errgroup.Group }

// NewCleaner returns a cleaner. The caller must call Close when no job runs any more.
func NewCleaner() *Cleaner {
	c := &Cleaner{}
	c.removals.SetLimit(removalsAtOnce)
	return c
}

// remove calls f in a goroutine, or itself if c is nil. It waits while removalsAtOnce are
// being called.
func (c *Cleaner) remove(f func()) {
	if c == nil {
		f()
		return
	}
	c.removals.Go(func() error {
		f()
		return nil
	})
}

// Close waits for the removals.
func (c *Cleaner) Close() { _ = c.removals.Wait() } // none returns an error
