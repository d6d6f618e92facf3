package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// maxReady is the most groups that are ready.
	maxReady = 64
	// leftoverLimit is how long a process may take to end that was moved to a ready group.
	leftoverLimit = time.Second
)

// readyGroups are control groups for later programs, without limits and without processes,
// so that a program need not wait until one is made. The zero value is empty. Methods may be
// called concurrently.
type readyGroups struct {
	mu     sync.Mutex
	groups []*cgroup
	closed bool
}

// take returns a group, or nil if none is ready.
func (r *readyGroups) take() *cgroup {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.groups)
	if n == 0 {
		return nil
	}
	g := r.groups[n-1]
	r.groups = r.groups[:n-1]
	return g
}

// wantMore reports whether there may be another group.
func (r *readyGroups) wantMore() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.groups) < maxReady && !r.closed
}

// add adds a group. It removes the group after close.
func (r *readyGroups) add(g *cgroup) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return g.remove()
	}
	r.groups = append(r.groups, g)
	return nil
}

// close removes all.
func (r *readyGroups) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := make([]error, 0, len(r.groups))
	for _, g := range r.groups {
		errs = append(errs, g.remove())
	}
	r.groups, r.closed = nil, true
	return errors.Join(errs...)
}

// readyGroup returns a group that is ready, or nil if there is none. Programs may do to it what
// this process may, so one that was removed is left out, and one with a process is ended.
func (c *Cgroups) readyGroup() *cgroup {
	for {
		g := c.ready.take()
		if g == nil {
			return nil
		}
		populated, err := g.populated()
		if err == nil && !populated {
			return g
		}
		err = errors.Join(err, g.kill(leftoverLimit), g.remove())
		c.logger.Warn("a control group for a later job was removed, or a process was moved to it; another one is used", zap.Error(err))
	}
}

// makeGroup makes a group without limits.
func (c *Cgroups) makeGroup() (*cgroup, error) {
	dir := filepath.Join(c.dir, strconv.FormatInt(c.made.Add(1), 10))
	if err := os.Mkdir(dir, cgroupDirMode); err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	g, err := openCgroup(dir)
	if err != nil {
		return nil, errors.Join(err, os.Remove(dir))
	}
	g.memory = slices.Contains(c.usable, "memory")
	return g, nil
}

// replace removes the group of a program that has ended, which may be nil, and makes one for
// a later program.
func (c *Cgroups) replace(g *cgroup) error {
	if g == nil {
		return nil
	}
	err := g.remove()
	if c.broken.Load() || !c.ready.wantMore() {
		return err
	}
	next, makeErr := c.makeGroup()
	if makeErr != nil {
		return err // a later program makes its own, and reports it
	}
	return errors.Join(err, c.ready.add(next))
}
