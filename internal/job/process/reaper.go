package process

import (
	"errors"
	"os/exec"
	"sync"
)

// Reaper makes this process inherit the processes that jobs leave running. On Linux
// this process becomes a subreaper: a process whose parent has ended, daemons
// included, becomes its child. So everything that a job has started stays below
// the agent, is found at the end of the job, and is reaped. On other systems a
// Reaper does nothing.
//
// A Reaper is for a process that is an agent and nothing else, and a process has at
// most one: it regards every child as left by a job, except those that jobs started
// and those that existed before. Without a Reaper, processes with a job's mark are
// found. As process 1 of a container, an agent inherits orphans of every origin,
// and leaves alone those that have neither a mark nor the session of a job.
//
// All methods may be called concurrently, and on nil.
type Reaper struct {
	// children is held for reading while a child is started or reaped, and for writing
	// while children are listed.
	children sync.RWMutex

	mu      sync.Mutex
	started map[int]string // marks, by process ID, from the start of the program until it is reaped
	before  map[int]uint64 // children that existed before, with their start time
	ending  bool           // by KillAll: nothing is started any more
	stop    chan struct{}
	stopped sync.WaitGroup
}

// start starts cmd under its mark. It excludes snapshots, in which the child of an
// unfinished start would look like an orphan.
func (r *Reaper) start(cmd *exec.Cmd, mark string) error {
	if r == nil {
		return withoutBlockedSignals(cmd.Start)
	}
	r.children.RLock()
	defer r.children.RUnlock()
	if r.isEnding() {
		return errEnding
	}
	if err := withoutBlockedSignals(cmd.Start); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started[cmd.Process.Pid] = mark
	return nil
}

func (r *Reaper) isEnding() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ending
}

// errEnding is the error of a program that is started after KillAll.
var errEnding = errors.New("the agent exits")

// end makes every later start fail.
func (r *Reaper) end() {
	r.children.Lock() // what is being started is started
	defer r.children.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ending = true
}

// wait reaps a program that has ended, whose ID may be reused from then on. It excludes
// snapshots, which could miss a child while another one is reaped.
func (r *Reaper) wait(cmd *exec.Cmd) error {
	if r != nil {
		r.children.RLock()
		defer r.children.RUnlock()
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.started, cmd.Process.Pid)
		}()
	}
	if cmd.ProcessState != nil { // await has reaped it
		return nil
	}
	return cmd.Wait() //nolint:wrapcheck // the caller wraps it
}
