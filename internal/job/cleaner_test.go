//go:build unix

package job

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/workspace"
)

// TestCleaner removes a while after the ends of jobs, at most some at once, and waits at its
// end.
func TestCleaner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, release := NewCleaner(), make(chan struct{})
		var begun, ended atomic.Int32
		removal := func() {
			begun.Add(1)
			<-release
			ended.Add(1)
		}
		for range maxRemovals {
			c.remove(removal) // returns at once
		}
		synctest.Wait()
		if n := begun.Load(); n != 0 {
			t.Errorf("%d removals at once", n)
		}
		c.remove(removal) // too many wait
		synctest.Wait()
		if n := begun.Load(); n != 1 {
			t.Errorf("%d removals, of which one does not wait", n)
		}
		time.Sleep(removalDelay)
		synctest.Wait()
		if n := begun.Load(); n != removalsAtOnce {
			t.Errorf("%d removals at the same time", n)
		}
		for range maxRemovals {
			c.remove(removal)
		}
		blocked := true
		go func() {
			c.remove(removal)
			blocked = false
		}()
		synctest.Wait()
		if !blocked {
			t.Error("a job does not wait for the removals")
		}
		close(release)
		synctest.Wait()
		c.Close()
		if n := ended.Load(); blocked || n != 2*maxRemovals+2 {
			t.Errorf("%d removals at the end", n)
		}
	})
	var none *Cleaner
	called := false
	none.remove(func() { called = true })
	if !called {
		t.Error("without a cleaner nothing is removed")
	}
}

// TestCleanerEndsEarly closes a cleaner whose removals wait: they are not lost.
func TestCleanerEndsEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, begun := NewCleaner(), time.Now()
		var ended atomic.Int32
		for range removalsAtOnce + 1 {
			c.remove(func() { ended.Add(1) })
		}
		c.Close()
		if n := ended.Load(); n != removalsAtOnce+1 || time.Since(begun) != 0 {
			t.Errorf("%d removals after %v", n, time.Since(begun))
		}
	})
}

// TestCleanerMakesRoom starts a job on a disk that is full of what the job before has left, which
// waits to be removed.
func TestCleanerMakesRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, tries := NewCleaner(), 0
		var full atomic.Bool
		full.Store(true)
		fill := func() error {
			tries++
			if full.Load() {
				return &os.PathError{Op: "mkdir", Path: "job", Err: syscall.ENOSPC}
			}
			return nil
		}
		c.remove(func() { full.Store(false) })
		if err := c.withRoom(fill); err != nil || tries != 2 {
			t.Errorf("%v after %d tries", err, tries)
		}
		if err := c.withRoom(fill); err != nil || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
		full.Store(true)
		if err := c.withRoom(fill); !errors.Is(err, syscall.ENOSPC) || tries != 5 {
			t.Errorf("%v after %d tries", err, tries)
		}
		c.remove(func() { full.Store(false) })
		if err := c.withRoom(func() error { return os.ErrPermission }); !errors.Is(err, os.ErrPermission) || !full.Load() {
			t.Errorf("%v; removed at once: %t", err, !full.Load())
		}
		time.Sleep(removalDelay)
		synctest.Wait()
		if full.Load() {
			t.Error("a later removal is lost")
		}
		c.Close()
	})
}

// TestRunWithACleaner runs a job whose directory is removed by a cleaner, which is busy
// with others when the job ends: the result is delivered before.
func TestRunWithACleaner(t *testing.T) {
	t.Parallel()
	for _, policy := range []workspace.Cleanup{workspace.CleanupAlways, workspace.CleanupNever} {
		c, release := NewCleaner(), make(chan struct{})
		for range removalsAtOnce {
			c.begin(func() { <-release })
		}
		cp := &recorder{}
		spec, opts := jobFor(t, "echo x >file")
		opts.Cleaner, opts.Cleanup = c, policy
		if _, err := Run(t.Context(), spec, cp, opts); err != nil || len(cp.finished) != 1 {
			t.Error(err, cp.finished)
		}
		close(release)
		c.Close()
		left, err := filepath.Glob(filepath.Join(opts.BuildPath, "*", "file"))
		if err != nil || (len(left) == 1) != (policy == workspace.CleanupNever) {
			t.Errorf("%s: %v, %v", policy, left, err)
		}
		if _, err := os.Stat(opts.BuildPath); err != nil {
			t.Error(err)
		}
	}
}
