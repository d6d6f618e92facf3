package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sync/errgroup"
)

// TestSync syncs several entries at once, in fewer passes than calls.
func TestSync(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.DebugLevel)
	s := open(t, filepath.Join(t.TempDir(), "spool"), zap.New(core))
	var entries []*Entry
	for range 40 {
		entries = append(entries, create(t, s, "J"))
	}
	var calls errgroup.Group
	waiting := func() int {
		s.commits.mu.Lock()
		defer s.commits.mu.Unlock()
		s.commits.running = true // as far as the calls know
		return len(s.commits.waiting)
	}
	waiting()
	for _, e := range entries {
		calls.Go(e.Sync)
	}
	for waiting() < len(entries) {
		runtime.Gosched()
	}
	s.commits.run()
	if err := calls.Wait(); err != nil {
		t.Error(err)
	}
	jobs, passes := int64(0), logs.FilterMessage("synced undelivered job results to disk").All()
	for _, line := range passes {
		jobs += line.ContextMap()["jobs"].(int64)
	}
	if jobs != 40 || len(passes) == 40 {
		t.Errorf("%d jobs in %d passes", jobs, len(passes))
	}
	for _, e := range entries {
		e.Close()
		if err := e.Sync(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a closed entry: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestCreateWhileUndeliveredAreListed adds jobs while another goroutine claims what is
// undelivered: a job that is being added is not, and its file stays.
func TestCreateWhileUndeliveredAreListed(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir(), nil)
	created := make(chan struct{})
	var listing errgroup.Group
	listing.Go(func() error {
		for {
			if ids := claimed(s, nil); len(ids) > 0 {
				return fmt.Errorf("claimed %v", ids)
			}
			select {
			case <-created:
				return nil
			default:
			}
		}
	})
	const jobs = 150
	entries := make([]*Entry, 0, jobs)
	for i := range jobs {
		e := create(t, s, strconv.Itoa(i))
		entries = append(entries, e)
		if !exists(e.path()) {
			t.Errorf("the file of job %d is gone", i)
		}
	}
	close(created)
	if err := listing.Wait(); err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if err := e.Remove(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
