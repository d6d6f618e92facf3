package job

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// roundWait is how long killed processes may take to be gone before they are
// looked at again.
const roundWait = time.Second

// family is all that a command has started, wherever it went: what has left its
// process group and its session, and daemons.
type family struct {
	mark   string
	reaper *Reaper // nil: only what carries the mark, is of the command's session or descends from these is found
	limit  time.Duration
}

// end kills the family of a leader that is not collected yet, and waits, at
// most for the limit, until no process of it is left.
func (f *family) end(leader int) error {
	return endAll(f.limit, func(all map[int]proc) map[int]proc { return f.members(all, leader, markOf) }, f.reaper)
}

// endAll kills what choose chooses among all processes, until it chooses none
// that could be killed, at most for the limit.
func endAll(limit time.Duration, choose func(map[int]proc) map[int]proc, reaper *Reaper) error {
	deadline := time.Now().Add(limit)
	for {
		chosen, err := reaper.look(choose)
		if err != nil {
			return err
		}
		killed, err := killProcesses(chosen)
		if len(killed) == 0 {
			return err
		}
		awaitEnds(killed, min(roundWait, time.Until(deadline)))
		for _, fd := range killed {
			_ = unix.Close(fd) // -1, where the system has none, is no descriptor
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes of the job are still there %v after SIGKILL", len(killed), limit)
		}
	}
}

// killProcesses gives a descriptor of each process that it has killed; an error
// tells of those that it could not kill.
func killProcesses(chosen map[int]proc) ([]int, error) {
	var (
		killed []int
		errs   []error
	)
	for _, p := range chosen {
		if p.zombie {
			continue // its parent's business
		}
		fd, err := killProcess(p)
		switch {
		case err == nil:
			killed = append(killed, fd)
		case !errors.Is(err, unix.ESRCH):
			errs = append(errs, fmt.Errorf("killing process %d of the job: %w", p.pid, err))
		}
	}
	return killed, errors.Join(errs...)
}

// endClaimed kills what is left of the jobs of an agent that is dead.
func endClaimed(claim string, limit time.Duration) error {
	return endAll(limit, func(all map[int]proc) map[int]proc {
		found := map[int]proc{}
		for pid, p := range all {
			if pid != os.Getpid() && claimOf(markOf(pid)) == claim {
				found[pid] = p
			}
		}
		withDescendants(all, found)
		return found
	}, nil)
}

// members finds the family among all processes. The caller holds the reaper's
// lock, if there is one.
func (f *family) members(all map[int]proc, leader int, markOf func(int) string) map[int]proc {
	self := os.Getpid()
	below := descendants(all, self)
	found := map[int]proc{}
	for pid, p := range all {
		switch {
		case pid == self:
		case f.reaper != nil && !below[pid]: // nothing of a job can be elsewhere: it needs no closer look
		case pid == leader, p.session == leader, markOf(pid) == f.mark:
			found[pid] = p
		case f.reaper != nil && f.stray(p, leader, markOf):
			found[pid] = p
		}
	}
	withDescendants(all, found)
	return found
}

// stray tells whether an orphan that has cleared its environment can only be of
// this family: of the commands that run, no other was there when it was born.
// While another was, it is left, and falls to whichever of these ends last.
func (f *family) stray(p proc, leader int, markOf func(int) string) bool {
	if !f.reaper.orphan(p) || os.Getpid() == 1 { // process 1 inherits everybody's
		return false
	}
	mark := markOf(p.pid)
	for pid, other := range f.reaper.started {
		if pid != leader && (other.at <= p.started || other.mark == mark || p.session == pid) {
			return false
		}
	}
	return true
}

// withDescendants adds what descends from the found, though it may have cleared
// its environment.
func withDescendants(all, found map[int]proc) {
	for leads := range maps.Clone(found) {
		for pid := range descendants(all, leads) {
			found[pid] = all[pid]
		}
	}
}

// descendants gives the ids of all processes below one.
func descendants(all map[int]proc, ancestor int) map[int]bool {
	children := make(map[int][]int, len(all))
	for pid, p := range all {
		children[p.parent] = append(children[p.parent], pid)
	}
	below := map[int]bool{}
	for next := []int{ancestor}; len(next) > 0; next = next[1:] {
		for _, child := range children[next[0]] {
			// The picture may be of different moments, and so have a loop.
			if !below[child] && child != ancestor {
				below[child] = true
				next = append(next, child)
			}
		}
	}
	return below
}

// killProcess kills the very process that was found, and not one that has got
// its id meanwhile. The descriptor is ready to read when it has ended; it is -1
// where the system has no such descriptors.
func killProcess(p proc) (int, error) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // a kernel before 5.3, or a filter of calls
		return -1, unix.Kill(p.pid, unix.SIGKILL) //nolint:wrapcheck // the caller says what was tried
	}
	if err != nil {
		return -1, err //nolint:wrapcheck // as above
	}
	if now, err := processOf(p.pid); err != nil || now.started != p.started {
		_ = unix.Close(fd)
		return -1, unix.ESRCH
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		_ = unix.Close(fd)
		return -1, err //nolint:wrapcheck // as above
	}
	return fd, nil
}

// awaitEnds waits until every process has ended, at most so long.
func awaitEnds(pidfds []int, limit time.Duration) {
	deadline := time.Now().Add(limit)
	for _, fd := range pidfds {
		for {
			wait := max(time.Until(deadline), 0)

			// A descriptor of -1 is never ready: then all that there is to do
			// is to wait a little.
			if fd < 0 {
				wait = min(wait, restWait)
			}
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(wait.Milliseconds())) //nolint:gosec // it is small
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
}
