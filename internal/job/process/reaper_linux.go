package process

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// reapPause is the time from the first signal about an end to the search for orphans that
// have ended.
const reapPause = time.Second

// NewReaper makes this process the subreaper of its jobs. The caller must call Close
// when no job runs any more.
func NewReaper() (*Reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("becoming the subreaper of jobs: %w", err)
	}
	r := &Reaper{started: map[int]string{}, before: map[int]uint64{}, stop: make(chan struct{})}
	if err := r.noteChildren(); err != nil {
		return nil, err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	r.stopped.Go(func() {
		defer signal.Stop(ended)
		r.watch(ended)
	})
	return r, nil
}

// noteChildren notes the children that exist before any job.
func (r *Reaper) noteChildren() error {
	all, err := r.read()
	for pid, p := range all {
		if p.parent == os.Getpid() {
			r.before[pid] = p.started
		}
	}
	return err
}

// Close ends the reaper: this process inherits nothing any more.
func (r *Reaper) Close() error {
	if r == nil {
		return nil
	}
	close(r.stop)
	r.stopped.Wait()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("ceasing to be a subreaper: %w", err)
	}
	return nil
}

// watch reaps orphans that end by themselves, so that a long job with many of them
// does not exhaust the process IDs of the machine. After a signal, which the end of a job
// sends too, it does without signals for the pause: each of them wakes a thread.
func (r *Reaper) watch(ended chan os.Signal) {
	for {
		select {
		case <-r.stop:
			return
		case <-ended:
		}
		signal.Stop(ended)
		select {
		case <-r.stop:
			return
		case <-time.After(reapPause):
		}
		signal.Notify(ended, unix.SIGCHLD)
		// An error: the next signal tries again.
		_, _ = r.snapshot((*Reaper).read, func(map[int]proc) map[int]proc { return nil })
	}
}

// snapshot calls read while no process is being started or reaped, reaps the orphans
// that have ended, and returns the processes that choose returns of those read.
func (r *Reaper) snapshot(read func(*Reaper) (map[int]proc, error), choose func(map[int]proc) map[int]proc) (map[int]proc, error) {
	if r != nil {
		r.children.Lock()
		defer r.children.Unlock()
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	all, err := read(r)
	if err != nil {
		return nil, err
	}
	if r != nil {
		r.reap(all)
	}
	return choose(all), nil
}

// readAll returns all processes of the machine.
func (*Reaper) readAll() (map[int]proc, error) { return readProcesses() }

// readOrphans returns the IDs of those children of this process that it inherits. The
// kernel makes them children of its first thread, which lives as long as the process. Some of the
// children that it has started are among them.
func readOrphans() ([]int, error) {
	self := os.Getpid()
	return readList(fmt.Sprintf("/proc/%d/task/%d/children", self, self))
}

// read returns the processes that programs have left running: the children of this
// process that it has not started, and what is below them. Usually there are none, and
// this takes a few files, however many processes the machine has. Without a reaper, or
// where the kernel does not list children, it returns all processes of the machine. The
// caller holds the lock.
func (r *Reaper) read() (map[int]proc, error) {
	if r == nil {
		return readProcesses()
	}
	children, err := readOrphans()
	if err != nil {
		return readProcesses()
	}
	found := map[int]proc{}
	for _, child := range children {
		if _, ours := r.started[child]; ours {
			continue
		}
		if started, existed := r.before[child]; existed && started == startTime(child) {
			continue
		}
		if err := addTree(found, child); err != nil {
			return readProcesses()
		}
	}
	return found, nil
}

// reap reaps the orphans that have ended, each by its own ID: os/exec reaps the
// others. The caller holds the lock.
func (r *Reaper) reap(all map[int]proc) {
	for pid, p := range all {
		if p.zombie && r.isOrphan(p) {
			for {
				if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); !errors.Is(err, unix.EINTR) {
					break // reaped, now or before
				}
			}
		}
	}
}

// isOrphan reports whether a process became a child of this process because its
// parent has ended. The caller holds the lock.
func (r *Reaper) isOrphan(p proc) bool {
	if p.parent != os.Getpid() {
		return false
	}
	if _, ours := r.started[p.pid]; ours {
		return false
	}
	started, existed := r.before[p.pid]
	return !existed || started != p.started
}
