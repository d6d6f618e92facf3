package process

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// Command is a program to run.
type Command struct {
	// Name names the program in errors, such as "the shell".
	Name string
	// Argv is the program and its arguments, Env its environment, and Dir its
	// working directory.
	Argv []string
	Env  []string
	Dir  string
	// Terminal makes a terminal the stdin, stdout and stderr of the program. Not
	// on Windows.
	Terminal bool
}

// Options are the settings for every program that an agent runs.
type Options struct {
	// Claim is the ID of the agent's claim on its build path, which becomes part of
	// the mark, see KillClaimed; empty if there is none.
	Claim        string
	Cgroups      *Cgroups       // makes a control group for each program; may be nil
	Limits       Limits         // of each program; they need Cgroups
	Reaper       *Reaper        // finds more of what programs leave running; may be nil
	CancelSignal syscall.Signal // sent to the group of a canceled program first; not used on Windows
	CancelGrace  time.Duration  // from the cancel signal to SIGKILL
	KillWait     time.Duration  // how long a killed process may take to end
	Logger       *zap.Logger    // logs what could not be killed
}

// Process is a running program. Wait, Collect and Release must each be called once, in this
// order.
type Process struct {
	cmd    *exec.Cmd
	opts   Options
	group  *group
	tree   *tree
	cgroup *cgroup // nil: none
	output *output
	begun  time.Time
	exited chan struct{} // closed when the program has ended
	ended  time.Time     // set before exited is closed
	end    End           // what Wait returned
	reaped bool          // by Collect
	left   bool          // Collect could not kill all of it, or does not know
	// inherited is the peak of memory that is not the program's own, in bytes.
	inherited int64
}

// Start starts a program in a group of its own and copies its output to w, from one
// goroutine, until Collect returns. Errors of w are ignored.
func Start(c Command, opts Options, w io.Writer) (*Process, error) {
	out, err := openOutput(c.Terminal)
	if err != nil {
		return nil, err
	}
	p, err := start(c, opts, out)
	if err != nil {
		out.discard()
		return nil, err
	}
	out.copyTo(w)
	return p, nil
}

// start starts a program in a control group if it can, and without one if it has no limits.
func start(c Command, opts Options, out *output) (*Process, error) {
	limited := opts.Limits != (Limits{})
	cg, err := opts.Cgroups.make(opts.Limits)
	switch {
	case err != nil && limited:
		return nil, fmt.Errorf("starting %s %s: %w", c.Name, c.Argv[0], err)
	case err != nil:
		opts.Cgroups.failed(err)
	}
	p, err := startIn(cg, c, opts, out)
	if err == nil || cg == nil {
		return p, err
	}
	_ = cg.remove() // the next agent tries again
	if limited {
		return nil, err
	}
	p, errWithout := startIn(nil, c, opts, out)
	if errWithout == nil { // else the program is the cause
		opts.Cgroups.failed(err)
	}
	return p, errWithout
}

// startIn starts a program in a control group, which may be nil.
func startIn(cg *cgroup, c Command, opts Options, out *output) (*Process, error) {
	mark := newMark(opts.Claim)
	// No context: the group ends the program.
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...) //nolint:gosec,noctx // it runs what the job asks for
	cmd.Dir, cmd.Env = c.Dir, append(slices.Clip(c.Env), MarkVariable+"="+mark)
	cmd.Stdout, cmd.Stderr = out.write, out.write
	processes := &tree{mark: mark, reaper: opts.Reaper, limit: opts.KillWait, cgroup: cg}
	g, err := newGroup(processes)
	if err != nil {
		return nil, fmt.Errorf("creating a process group: %w", err)
	}
	g.prepare(cmd)
	cg.startIn(cmd)
	switch null := devNull(); {
	case c.Terminal:
		cmd.Stdin = out.write
		setTerminal(cmd)
	case null != nil: // a nil *os.File is not a nil io.Reader
		cmd.Stdin = null
	}
	pidfd := openPidfd(cmd)
	begun := time.Now()
	err = opts.Reaper.start(cmd, mark)
	fd := pidfd()
	if err != nil {
		_ = g.close()
		return nil, fmt.Errorf("starting %s %s: %w%s", c.Name, c.Argv[0], err, hint(err))
	}
	p := &Process{cmd: cmd, opts: opts, group: g, tree: processes, cgroup: cg, output: out, begun: begun, exited: make(chan struct{})}
	p.inherited = inheritedPeakMemory()
	if err := g.add(cmd.Process); err != nil {
		_ = cmd.Process.Kill()
		_ = g.await(cmd, fd)
		_ = opts.Reaper.wait(cmd)
		_ = g.close()
		return nil, fmt.Errorf("adding the command to its process group: %w", err)
	}
	go func() {
		defer close(p.exited)
		_ = g.await(cmd, fd) // its error shows again in exit
		p.ended = time.Now()
	}()
	return p, nil
}

// PID returns the process ID of the program.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Handles reports whether the program has a handler for a signal, or had one at its end.
// It reports false where that is not known: other systems than Linux do not show it, and
// neither does a program that removes its handlers before it ends, as Python does. It may
// be called between Wait and Collect.
func (p *Process) Handles(sig syscall.Signal) bool { return handles(p.PID(), sig) }

// Wait waits for the program to end. When ctx ends, it sends the cancel signal to
// the group, and SIGKILL when the grace period is over, and waits for the end at
// most Options.KillWait longer.
func (p *Process) Wait(ctx context.Context) End {
	p.end = supervise(ctx, p, p.opts.CancelGrace, p.opts.KillWait)
	return p.end
}

// ExitSignal is added to the number of a signal where a shell or another program exits
// because of the signal.
const ExitSignal = 128

// Exit is how a program has ended.
type Exit struct {
	Code   int    // the exit code; -1 if a signal ended the program
	Signal string // the name of that signal, such as "SIGTERM", or empty
	// OutputHeld is set if a process that the program left running held the output
	// open until it was closed; what it wrote after that is lost.
	OutputHeld bool
	// Usage is what the program took, with those of its processes that have ended.
	Usage Usage
}

// Usage is what a program took. Each field is zero if it is not known.
type Usage struct {
	Wall, CPU time.Duration
	// PeakMemory is in bytes: of all processes if Group is set, else of the largest one,
	// which is known on Linux if it is more than that of this process.
	PeakMemory int64
	// Group is set if the program had a control group: then all of its processes count.
	Group bool
	// MemoryLimit is set if the system has killed processes because of this limit.
	MemoryLimit int64
}

// Collect waits until all processes have closed the output, at most until
// deadline, kills what the program left running, reads the rest of the output, and
// reaps the program. The time that the writer of [Start] takes is not bounded.
//
// It returns an error if the exit status is unknown, or if the program has not
// ended: then it is reaped in the background, if it ever ends.
func (p *Process) Collect(deadline time.Time) (Exit, error) {
	held := p.output.drain(deadline, p.endGroup)
	if !p.end.Exited {
		go func() {
			_, _ = p.reap()
			p.removeCgroup()
		}()
		return Exit{Code: -1, OutputHeld: held}, fmt.Errorf("process %d still runs %v after SIGKILL", p.PID(), p.opts.KillWait)
	}
	exit, err := p.reap()
	p.reaped = true
	exit.OutputHeld = held
	return exit, err
}

// Release removes what the system still keeps of a program that Collect has reaped: its
// control group. It is a step of its own because nothing has to wait for it.
func (p *Process) Release() {
	if p.reaped {
		p.removeCgroup()
	}
}

// Left reports whether processes of the program may still run. It is called after Collect.
func (p *Process) Left() bool { return p.left || !p.reaped }

// endGroup kills what the program left running.
func (p *Process) endGroup() {
	if err := p.group.kill(p.end.Exited); err != nil {
		p.left = true
		p.opts.Logger.Warn("could not kill all processes that a job left running", zap.Int("process_group", p.PID()), zap.Error(err))
	}
	// No process leaves a control group, which is empty now.
	p.left = p.left || p.tree.unsure && p.cgroup == nil
}

// reap returns the exit status of a program that has ended, and releases the process group.
func (p *Process) reap() (Exit, error) {
	<-p.exited
	err := p.opts.Reaper.wait(p.cmd)
	_ = p.group.close()
	state := p.cmd.ProcessState
	if state == nil {
		return Exit{Code: -1}, fmt.Errorf("the exit status of process %d is unknown: %w", p.PID(), err)
	}
	usage := Usage{Wall: p.ended.Sub(p.begun), CPU: state.UserTime() + state.SystemTime(), PeakMemory: peakMemory(state, p.inherited)}
	p.cgroup.addUsage(&usage)
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return Exit{Code: -1, Signal: SignalName(ws.Signal()), Usage: usage}, nil
	}
	return Exit{Code: state.ExitCode(), Usage: usage}, nil
}

// removeCgroup removes the control group of a program that has ended, and makes another one
// for a later program.
func (p *Process) removeCgroup() {
	if err := p.opts.Cgroups.replace(p.cgroup); err != nil {
		p.opts.Logger.Warn("could not remove the control group of a job", zap.Error(err))
	}
}

func (p *Process) done() <-chan struct{} { return p.exited }

func (p *Process) terminate() error { return p.group.terminate(p.opts.CancelSignal) }

func (p *Process) kill() error { return p.group.kill(false) }
