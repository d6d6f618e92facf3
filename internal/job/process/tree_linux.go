package process

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// roundWait is how long killed processes may take to end before the tree is
// searched again.
const roundWait = time.Second

// kill kills the processes of the tree, and waits until none is left, at most for
// the limit. The program, whose process ID is leader, must not be reaped yet. If it has
// ended, what it has left has this process as its parent, if there is a reaper.
func (t *tree) kill(leader int, ended bool) error {
	read := (*Reaper).readAll
	if ended {
		read = (*Reaper).read
	}
	if err := t.cgroup.kill(t.limit); err != nil {
		return err
	}
	return killAll(t.limit, t.reaper, read, func(all map[int]proc) map[int]proc { return t.members(all, leader, markOf, startTime) })
}

// KillClaimed kills the processes that the jobs of a killed agent left running, and
// waits for their end, at most for limit. The agent is identified by its claim on
// the build path.
func KillClaimed(claim string, limit time.Duration) error {
	return killAll(limit, nil, (*Reaper).readAll, func(all map[int]proc) map[int]proc {
		found := map[int]proc{}
		for pid, p := range all {
			if pid != os.Getpid() && claimOf(markOf(pid)) == claim {
				found[pid] = p
			}
		}
		addDescendants(all, found)
		return found
	})
}

// KillAll kills all programs with all that they have started, and waits for their end,
// at most for limit. No program can be started any more.
func (r *Reaper) KillAll(limit time.Duration) error {
	if r == nil {
		return nil
	}
	r.end()
	return killAll(limit, r, (*Reaper).readAll, func(all map[int]proc) map[int]proc {
		found := map[int]proc{}
		for pid, p := range all {
			_, started := r.started[pid]
			// Process 1 inherits orphans of every origin.
			if started || r.isOrphan(p) && (os.Getpid() != 1 || markOf(pid) != "") {
				found[pid] = p
			}
		}
		addDescendants(all, found)
		return found
	})
}

// killAll kills the processes that choose returns of those that read returns, until it
// returns none that could be killed, at most for limit.
func killAll(
	limit time.Duration, reaper *Reaper, read func(*Reaper) (map[int]proc, error), choose func(map[int]proc) map[int]proc,
) error {
	deadline := time.Now().Add(limit)
	for {
		chosen, err := reaper.snapshot(read, choose)
		if err != nil {
			return err
		}
		killed, err := killProcesses(chosen)
		if len(killed) == 0 {
			return err
		}
		awaitEnds(killed, min(roundWait, time.Until(deadline)))
		for _, fd := range killed {
			_ = unix.Close(fd) // -1 is not a descriptor
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d processes of the job still run %v after SIGKILL", len(killed), limit)
		}
	}
}

// killProcesses returns a descriptor of each process that it has killed, and an
// error about those that it could not kill.
func killProcesses(chosen map[int]proc) ([]int, error) {
	var (
		killed []int
		errs   []error
	)
	for _, p := range chosen {
		if p.zombie {
			continue // its parent reaps it
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

// members returns the processes of the tree. The caller holds the reaper's lock, if
// there is a reaper.
func (t *tree) members(all map[int]proc, leader int, markOf func(int) string, startOf func(int) uint64) map[int]proc {
	self := os.Getpid()
	below := descendants(all, self)
	t.unsure = t.reaper == nil
	found := map[int]proc{}
	for pid, p := range all {
		switch {
		case pid == self:
		case t.reaper != nil && !below[pid]: // with a subreaper, all processes of jobs are below this one
		case pid == leader, p.session == leader, markOf(pid) == t.mark:
			found[pid] = p
		case t.reaper == nil || !t.reaper.isOrphan(p):
		default:
			if owns, known := t.ownsOrphan(p, leader, markOf, startOf); owns {
				found[pid] = p
			} else if !known && !p.zombie {
				t.unsure = true
			}
		}
	}
	addDescendants(all, found)
	return found
}

// ownsOrphan reports whether an orphan without the mark must belong to this tree, because no
// other program ran when it was started, and whether that is known. While another one ran, the
// orphan is left alone; the last of these programs ends it.
func (t *tree) ownsOrphan(p proc, leader int, markOf func(int) string, startOf func(int) uint64) (owns, known bool) {
	mark := markOf(p.pid)
	known = os.Getpid() != 1 // process 1 inherits orphans of every origin
	for pid, other := range t.reaper.started {
		switch {
		case pid == leader:
		case other == mark, p.session == pid:
			return false, true
		case startOf(pid) <= p.started: // it is not reaped while the caller holds the lock, so that its start is known
			known = false
		}
	}
	return known, known
}

// addDescendants adds the descendants of the found processes, which may have
// cleared their environment.
func addDescendants(all, found map[int]proc) {
	for ancestor := range maps.Clone(found) {
		for pid := range descendants(all, ancestor) {
			found[pid] = all[pid]
		}
	}
}

// descendants returns the IDs of all processes below one.
func descendants(all map[int]proc, ancestor int) map[int]bool {
	children := make(map[int][]int, len(all))
	for pid, p := range all {
		children[p.parent] = append(children[p.parent], pid)
	}
	below := map[int]bool{}
	for next := []int{ancestor}; len(next) > 0; next = next[1:] {
		for _, child := range children[next[0]] {
			// The processes were not all read at the same moment, so there may be a loop.
			if !below[child] && child != ancestor {
				below[child] = true
				next = append(next, child)
			}
		}
	}
	return below
}

// killProcess kills exactly the process that was found, not another one that has
// got its ID meanwhile. It returns a descriptor that becomes readable when the
// process has ended, or -1 if the system has no such descriptors.
func killProcess(p proc) (int, error) {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) { // a kernel before 5.3, or a system call filter
		return -1, unix.Kill(p.pid, unix.SIGKILL) //nolint:wrapcheck // the caller wraps it
	}
	if err != nil {
		return -1, err //nolint:wrapcheck // as above
	}
	if now, err := readProcess(p.pid); err != nil || now.started != p.started {
		_ = unix.Close(fd)
		return -1, unix.ESRCH
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil {
		_ = unix.Close(fd)
		return -1, err //nolint:wrapcheck // as above
	}
	return fd, nil
}

// awaitEnds waits until all processes have ended, at most for limit.
func awaitEnds(pidfds []int, limit time.Duration) {
	deadline := time.Now().Add(limit)
	for _, fd := range pidfds {
		for {
			wait := max(time.Until(deadline), 0)
			if fd < 0 { // never readable: wait a little
				wait = min(wait, idleWait)
			}
			_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(wait.Milliseconds())) //nolint:gosec // it is small
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
	}
}
