package job

import (
	"os/exec"
	"sync"
)

// Reaper makes this process the one that inherits what jobs leave behind. On
// Linux it becomes their subreaper: a process whose parent has ended becomes a
// child of the agent, also one that has made itself a daemon, so that whatever
// a job has started stays below the agent, is found there at the job's end, and
// is collected when it has ended.
//
// It is for a process that is an agent and nothing else: a child of this
// process that was neither started by a job nor there before the Reaper is
// taken for something that a job has left. A process has at most one. Options
// without a Reaper still find what carries a job's mark. Where there is no
// subreaper, a Reaper does nothing. As process 1 of a container an agent
// inherits everybody's orphans: one that has cleared both its environment and
// its session is left alone there, for it may be another's.
//
// All methods may be called concurrently, and on nil.
type Reaper struct {
	mu      sync.Mutex
	started map[int]startedCommand // by process id; from before it starts until it is collected
	before  map[int]uint64         // children that were there before, with their start
	stop    chan struct{}
	stopped sync.WaitGroup
}

// startedCommand is a child of the agent that the agent itself has started and
// collects.
type startedCommand struct {
	mark string
	at   uint64 // when it started, in the system's ticks
}

// start starts a command under its mark. No other process is looked for
// meanwhile: the child of an unfinished start would be taken for an orphan.
func (r *Reaper) start(cmd *exec.Cmd, mark string) error {
	if r == nil {
		return cmd.Start() //nolint:wrapcheck // the caller says what was started
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err //nolint:wrapcheck // as above
	}
	r.started[cmd.Process.Pid] = startedCommand{mark: mark, at: startOf(cmd.Process.Pid)}
	return nil
}

// forget is told that a command has been collected: its id may be another
// process' from now on.
func (r *Reaper) forget(pid int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.started, pid)
}
