package spool

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/dirsync"
)

// maxSyncs bounds the files that are synced at the same time. A file system with a
// journal writes them to the disk together.
const maxSyncs = 16

// commits syncs files of the spool. Calls that come while a pass runs share the next
// one.
type commits struct {
	dir    string
	logger *zap.Logger

	mu      sync.Mutex
	waiting []*commit
	running bool
}

// commit is one file that is to be synced.
type commit struct {
	file *os.File
	err  error
	done chan struct{} // closed when err is set
}

// sync syncs a file and the name that it has in the directory, and returns when both
// are on the disk.
func (c *commits) sync(file *os.File) error {
	one := &commit{file: file, done: make(chan struct{})}
	c.mu.Lock()
	c.waiting = append(c.waiting, one)
	if !c.running {
		c.running = true
		go c.run()
	}
	c.mu.Unlock()
	<-one.done
	return one.err
}

// run makes passes until no file waits.
func (c *commits) run() {
	for {
		c.mu.Lock()
		batch := c.waiting
		c.waiting = nil
		c.running = len(batch) > 0
		c.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		c.pass(batch)
	}
}

// pass syncs some files and the directory.
func (c *commits) pass(batch []*commit) {
	begun := time.Now()
	var files errgroup.Group
	files.SetLimit(maxSyncs)
	for _, one := range batch {
		files.Go(func() error {
			one.err = one.file.Sync()
			return nil
		})
	}
	_ = files.Wait() // the errors are in the batch
	dirErr := dirsync.Sync(c.dir)
	c.logger.Debug("synced undelivered job results to disk", zap.Int("jobs", len(batch)), zap.Duration("took", time.Since(begun)))
	for _, one := range batch {
		if err := errors.Join(one.err, dirErr); err != nil {
			one.err = fmt.Errorf("syncing the spool: %w", err)
		}
		close(one.done)
	}
}
