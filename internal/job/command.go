package job

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"

	"go.uber.org/zap"
)

// group is what the system has for ending a command together with what it has
// started.
type group interface {
	// prepare makes cmd start as the first of the group; called before its
	// start.
	prepare(cmd *exec.Cmd)
	// adopt takes the started command into the group.
	adopt(p *os.Process) error
	// await waits for the command to end. Where the system can, it leaves it
	// unreaped, so that its id, which names the group, cannot be given to
	// another process before the group has been ended.
	await(cmd *exec.Cmd) error
	// terminate asks the group to end.
	terminate(sig syscall.Signal) error
	// kill ends the group by force, with what has left it as far as the system
	// tells; a group without members is no error. It may wait for what it has
	// killed to be gone.
	kill() error
	// close gives back what the group holds of the system; the group is not
	// used after that.
	close() error
}

// command is the job's command, running.
type command struct {
	cmd    *exec.Cmd
	group  group
	reaper *Reaper
	signal syscall.Signal
	done   chan struct{}
}

// task is a program to run for a job: its command, or what comes before that.
type task struct {
	what string // in words, for an error
	argv []string
	env  []string
	dir  string
	// terminal says that its outputs are a terminal's, which is then its input
	// as well.
	terminal bool
}

// startCommand runs a task in a group of its own, with both outputs on out.
func startCommand(opts Options, t task, out *os.File) (*command, error) {
	mark := newMark(opts.Claim.id())

	// Without a context: what ends a job is its group's business.
	cmd := exec.Command(t.argv[0], t.argv[1:]...) //nolint:gosec,noctx // running what the job says is the point
	cmd.Dir, cmd.Env = t.dir, append(slices.Clip(t.env), markName+"="+mark)
	cmd.Stdout, cmd.Stderr = out, out
	members, err := newGroup(&family{mark: mark, reaper: opts.Reaper, limit: opts.KillWait})
	if err != nil {
		return nil, fmt.Errorf("making a process group: %w", err)
	}
	members.prepare(cmd)
	if t.terminal {
		cmd.Stdin = out
		onTerminal(cmd)
	}
	if err := opts.Reaper.start(cmd, mark); err != nil {
		_ = members.close()
		return nil, fmt.Errorf("starting %s %s: %w%s", t.what, t.argv[0], err, hint(err))
	}
	c := &command{cmd: cmd, group: members, reaper: opts.Reaper, signal: opts.CancelSignal, done: make(chan struct{})}
	if err := members.adopt(cmd.Process); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = members.close()
		opts.Reaper.forget(cmd.Process.Pid)
		return nil, fmt.Errorf("taking the command into its process group: %w", err)
	}
	go func() {
		defer close(c.done)

		// What await cannot tell, the wait in exit does.
		_ = members.await(cmd)
	}()
	return c, nil
}

func (c *command) pid() int { return c.cmd.Process.Pid }

func (c *command) exited() <-chan struct{} { return c.done }

func (c *command) terminate() error { return c.group.terminate(c.signal) }

func (c *command) kill() error { return c.group.kill() }

// endGroup kills what the command has left running. It comes before exit.
func (c *command) endGroup(logger *zap.Logger) {
	if err := c.group.kill(); err != nil {
		logger.Warn("what the job left running could not be killed", zap.Int("group", c.pid()), zap.Error(err))
	}
}

// exit collects a command that has ended: its status, and the signal that ended
// it, if one did. An error means that the system does not tell.
func (c *command) exit() (status, signal string, err error) {
	<-c.done
	if c.cmd.ProcessState == nil {
		err = c.cmd.Wait()
	}
	_ = c.group.close()
	c.reaper.forget(c.pid())
	state := c.cmd.ProcessState
	if state == nil {
		return StatusNeverRan, "", fmt.Errorf("how the command ended is not known: %w", err)
	}
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return StatusNeverRan, signalName(ws.Signal()), nil
	}
	return strconv.Itoa(state.ExitCode()), "", nil
}

// leave lets go of a command that does not end; it is collected if it ever
// does.
func (c *command) leave() {
	go func() { _, _, _ = c.exit() }()
}
