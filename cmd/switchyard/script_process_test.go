package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds every wait of a script for a process; a script that reaches it
// fails.
const scriptPatience = 30 * time.Second

// Processes that run beside a script have names:
//
//	start NAME PROGRAM [ARGUMENT...]   begins one
//	expect NAME PATTERN [VARIABLE]     waits for a line of its output, after the last expected one,
//	                                   and puts the pattern's first group into the variable
//	signal NAME SIGNAL                 sends it a signal, such as INT
//	end NAME CODE                      waits for its end, with this exit code or signal; then
//	                                   stdout and stderr are what it wrote
//
// Whatever still runs at the end of a script is killed.
func processCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"start": startProcess, "expect": expectLine, "signal": signalProcess, "end": endProcess,
	}
}

type processes map[string]*process

const processesKey = "processes"

type process struct {
	cmd            *exec.Cmd
	stdout, stderr *output
	done           chan struct{}
}

// output collects what a process writes and tells who waits for it.
type output struct {
	mu       sync.Mutex
	written  bytes.Buffer
	more     chan struct{} // closed, and made anew, at each write
	expected int           // bytes that were expected already
}

func newOutput() *output { return &output{more: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.written.Write(b)
}

func (o *output) read() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.written.String(), o.more
}

// find looks for a pattern behind what was expected already, and moves on past it.
func (o *output) find(pattern *regexp.Regexp) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	left := o.written.String()[o.expected:]
	found := pattern.FindStringSubmatchIndex(left)
	if found == nil {
		return nil
	}
	groups := pattern.FindStringSubmatch(left)
	o.expected += found[1]
	return groups
}

func running(ts *testscript.TestScript, name string) *process {
	p := ts.Value(processesKey).(processes)[name]
	if p == nil {
		ts.Fatalf("no process %q was started", name)
	}
	return p
}

func startProcess(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARGUMENT...]")
	}
	all := ts.Value(processesKey).(processes)
	if old := all[args[0]]; old != nil {
		select {
		case <-old.done: // the name is free again
		default:
			ts.Fatalf("process %q runs already", args[0])
		}
	}
	path := lookPath(ts, args[1])
	p := &process{cmd: exec.Command(path, args[2:]...), stdout: newOutput(), stderr: newOutput(), done: make(chan struct{})}
	p.cmd.Dir = ts.Getenv("WORK")
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_STATE_HOME", "SWITCHYARD_ENDPOINT", "SWITCHYARD_CONFIG"} {
		p.cmd.Env = append(p.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(p.cmd.Start())
	all[args[0]] = p
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // end looks at the state
	}()
	ts.Defer(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.done
	})
}

// lookPath finds a program as the script would.
func lookPath(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	ts.Fatalf("no program %s", program)
	return ""
}

func expectLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: expect NAME PATTERN [VARIABLE]")
	}
	p := running(ts, args[0])
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	deadline := time.NewTimer(scriptPatience)
	defer deadline.Stop()
	for {
		ended := isClosed(p.done) // before reading, so that nothing is missed
		errs, moreErrs := p.stderr.read()
		out, moreOut := p.stdout.read()
		found := p.stderr.find(pattern)
		if found == nil {
			found = p.stdout.find(pattern)
		}
		if found != nil {
			if len(args) > 2 {
				ts.Setenv(args[2], found[1])
			}
			return
		}
		if ended {
			ts.Fatalf("%s ended without %q; stdout:\n%s\nstderr:\n%s", args[0], args[1], out, errs)
		}
		select {
		case <-moreErrs:
		case <-moreOut:
		case <-p.done:
		case <-deadline.C:
			ts.Fatalf("%s does not write %q; stdout:\n%s\nstderr:\n%s", args[0], args[1], out, errs)
		}
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

func signalProcess(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || signalNumber("SIG"+args[1]) == 0 {
		ts.Fatalf("usage: signal NAME SIGNAL, such as INT, of this system's")
	}
	ts.Check(running(ts, args[0]).cmd.Process.Signal(syscall.Signal(signalNumber("SIG" + args[1]))))
}

func endProcess(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: end NAME CODE|SIGNAL")
	}
	p := running(ts, args[0])
	deadline := time.NewTimer(scriptPatience)
	defer deadline.Stop()
	var late error
	select {
	case <-p.done:
	case <-deadline.C:
		late = errors.New(args[0] + " does not end")
	}
	out, _ := p.stdout.read()
	errs, _ := p.stderr.read()
	_, err := io.WriteString(ts.Stdout(), out)
	ts.Check(err)
	_, err = io.WriteString(ts.Stderr(), errs)
	ts.Check(err)
	ts.Check(late)
	got := strconv.Itoa(p.cmd.ProcessState.ExitCode())
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		got = status.Signal().String()
	}
	if got != args[1] {
		ts.Fatalf("%s ended with %s, want %s", args[0], got, args[1])
	}
}
