//go:build unix

package job

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/switchyard-ci/switchyard/internal/job/workspace"
)

// TestCleaner removes beside what follows, at most some at once, and waits at its end.
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
		for range removalsAtOnce {
			c.remove(removal) // returns at once
		}
		blocked := true
		go func() {
			c.remove(removal)
			blocked = false
		}()
		synctest.Wait()
		if !blocked || begun.Load() != removalsAtOnce {
			t.Errorf("%d removals at once", begun.Load())
		}
		close(release)
		synctest.Wait()
		c.Close()
		if blocked || ended.Load() != removalsAtOnce+1 {
			t.Errorf("%d of %d removals at the end", ended.Load(), removalsAtOnce+1)
		}
	})
	var none *Cleaner
	called := false
	none.remove(func() { called = true })
	if !called {
		t.Error("without a cleaner nothing is removed")
	}
}

// TestRunWithACleaner runs a job whose directory is removed by a cleaner, which is busy
// with others when the job ends: the result is delivered before.
func TestRunWithACleaner(t *testing.T) {
	t.Parallel()
	for _, policy := range []workspace.Cleanup{workspace.CleanupAlways, workspace.CleanupNever} {
		c, release := NewCleaner(), make(chan struct{})
		for range removalsAtOnce - 1 {
			c.remove(func() { <-release })
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
