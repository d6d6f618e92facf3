package job

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// reapPause is the least time between two looks for orphans that have ended,
// however many do.
const reapPause = time.Second

// NewReaper makes this process the subreaper of its jobs. Close it when no job
// runs any more.
func NewReaper() (*Reaper, error) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("becoming the subreaper of jobs: %w", err)
	}
	r := &Reaper{started: map[int]startedCommand{}, before: map[int]uint64{}, stop: make(chan struct{})}
	all, err := processes()
	if err != nil {
		return nil, err
	}
	for pid, p := range all {
		if p.parent == os.Getpid() {
			r.before[pid] = p.started
		}
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	r.stopped.Go(func() {
		defer signal.Stop(ended)
		r.watch(ended)
	})
	return r, nil
}

// Close makes this process an ordinary one again.
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

// watch collects orphans that have ended by themselves, so that a long job that
// makes many does not use up the machine's process ids.
func (r *Reaper) watch(ended <-chan os.Signal) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-ended:
		}
		r.mu.Lock()
		if all, err := processes(); err == nil { // else the next end is another chance
			r.collect(all)
		}
		r.mu.Unlock()
		pause.Reset(reapPause)
		select {
		case <-r.stop:
			return
		case <-pause.C:
		}
	}
}

// look takes a picture of all processes while none is being started or
// collected, collects orphans that have ended, and gives what choose chooses.
func (r *Reaper) look(choose func(map[int]proc) map[int]proc) (map[int]proc, error) {
	if r != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
	}
	all, err := processes()
	if err != nil {
		return nil, err
	}
	if r != nil {
		r.collect(all)
	}
	return choose(all), nil
}

// collect reaps the orphans that have ended, each by its own id: the children
// that os/exec waits for are left to it. The caller holds the lock.
func (r *Reaper) collect(all map[int]proc) {
	for pid, p := range all {
		if p.zombie && r.orphan(p) {
			for {
				if _, err := unix.Wait4(pid, nil, unix.WNOHANG, nil); !errors.Is(err, unix.EINTR) {
					break // reaped, or gone already
				}
			}
		}
	}
}

// orphan tells whether a process became a child of the agent because its parent
// has ended. The caller holds the lock.
func (r *Reaper) orphan(p proc) bool {
	if p.parent != os.Getpid() {
		return false
	}
	if _, ours := r.started[p.pid]; ours {
		return false
	}
	started, was := r.before[p.pid]
	return !was || started != p.started
}

// startOf is when a process has started; 0 if that is not known, which is
// before everything.
func startOf(pid int) uint64 {
	p, _ := processOf(pid)
	return p.started
}
