package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// proc is one process, read from /proc.
type proc struct {
	pid, parent, session int
	started              uint64 // in ticks since the system's start; unique together with pid
	zombie               bool   // it has ended and is not reaped
}

// readProcesses returns all processes by ID. Processes that start or end meanwhile
// may be missing.
func readProcesses() (map[int]proc, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	defer func() { _ = dir.Close() }() // only read
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	found := make(map[int]proc, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process
		}
		if p, err := readProcess(pid); err == nil { // else it has ended
			found[pid] = p
		}
	}
	return found, nil
}

// readChildren returns the IDs of the children of a process, those of each of its
// threads. It returns an error if the process has ended, or if the kernel was built
// without these lists. A child that is not reaped meanwhile is never missing.
func readChildren(pid int) ([]int, error) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.Open(dir) //nolint:gosec // of a process
	if err != nil {
		return nil, fmt.Errorf("listing children: %w", err)
	}
	names, err := threads.Readdirnames(-1)
	_ = threads.Close() // only read
	if err != nil {
		return nil, fmt.Errorf("listing children: %w", err)
	}
	var children []int
	var last error
	lists := 0
	for _, name := range names {
		list, err := readList(dir + "/" + name + "/children")
		if err != nil {
			last = err // the thread has ended, and its children are in another list
			continue
		}
		lists++
		children = append(children, list...)
	}
	if lists == 0 {
		return nil, fmt.Errorf("listing children: %w", last)
	}
	return children, nil
}

// readList returns the IDs in a file.
func readList(path string) ([]int, error) {
	text, err := readSmall(path)
	if err != nil {
		return nil, fmt.Errorf("listing children: %w", err)
	}
	var pids []int
	for field := range strings.FieldsSeq(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("listing children: %w", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// addTree adds a process and what is below it to the found processes. Processes that
// end meanwhile may be missing; what is below them has another parent then.
func addTree(found map[int]proc, pid int) error {
	if _, known := found[pid]; known {
		return nil
	}
	p, err := readProcess(pid)
	if err != nil {
		return nil //nolint:nilerr // it has ended
	}
	found[pid] = p
	children, err := readChildren(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil // as above
	}
	for _, child := range children {
		err = errors.Join(err, addTree(found, child))
	}
	return err
}

// readProcess returns one process.
func readProcess(pid int) (proc, error) {
	stat, err := readSmall(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return proc{}, fmt.Errorf("reading a process: %w", err)
	}
	return parseStat(pid, string(stat))
}

// parseStat parses /proc/PID/stat: the ID, the name in parentheses, which may
// contain any character, and then fields numbered from 3 (proc(5)).
func parseStat(pid int, stat string) (proc, error) {
	const (
		state, parent, session, started = 3, 4, 6, 22

		first = state
	)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= started-first {
		return proc{}, fmt.Errorf("process %d: cannot parse %q", pid, stat)
	}
	p := proc{pid: pid, zombie: strings.ContainsAny(fields[state-first], "ZXx")}
	var errs [3]error
	p.parent, errs[0] = strconv.Atoi(fields[parent-first])
	p.session, errs[1] = strconv.Atoi(fields[session-first])
	p.started, errs[2] = strconv.ParseUint(fields[started-first], 10, 64)
	return p, errors.Join(errs[:]...)
}

// startTime returns when a process was started, or 0, which is before all others,
// if that is unknown.
func startTime(pid int) uint64 {
	p, _ := readProcess(pid)
	return p.started
}

const (
	// execWait is how long a process may take to start its program until it is regarded
	// as one without an environment; execStep is the time between two looks at it.
	execWait = time.Second
	execStep = time.Millisecond
)

// markOf returns the mark in the environment that a process was started with. It is
// "" if there is none, or if the process has ended or is another user's.
func markOf(pid int) string {
	return markWithin(execWait,
		func() ([]byte, error) { return readSmall(fmt.Sprintf("/proc/%d/environ", pid)) },
		func() ([]byte, error) { return readSmall(fmt.Sprintf("/proc/%d/stat", pid)) })
}

// markWithin returns the mark in what environ returns. A process that is just starting its
// program has no environment for a moment, which is longer on a busy machine: then it
// reads again, at most for limit.
func markWithin(limit time.Duration, environ, stat func() ([]byte, error)) string {
	for waited := time.Duration(0); ; waited += execStep {
		text, err := environ()
		if err != nil {
			return ""
		}
		if len(text) > 0 {
			return findMark(text)
		}
		line, err := stat()
		if err != nil || !startsProgram(string(line)) || waited >= limit {
			return ""
		}
		<-time.After(execStep)
	}
}

// startsProgram reports whether a process, by its line of /proc/PID/stat, has left its old
// program and not begun the new one: it has no place for an environment, not even for an
// empty one. Threads of the kernel never have one.
func startsProgram(stat string) bool {
	const (
		state, flags, environEnd = 3, 9, 51 // the numbers of the fields (proc(5))

		first        = state
		kernelThread = 0x0020_0000 // PF_KTHREAD
	)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= environEnd-first || strings.ContainsAny(fields[state-first], "ZXx") {
		return false
	}
	set, err := strconv.ParseUint(fields[flags-first], 10, 64)
	return err == nil && set&kernelThread == 0 && fields[environEnd-first] == "0"
}

// findMark returns the mark in an environment.
func findMark(environ []byte) string {
	for pair := range bytes.SplitSeq(environ, []byte{0}) {
		if mark, ok := bytes.CutPrefix(pair, []byte(MarkVariable+"=")); ok {
			return string(mark)
		}
	}
	return ""
}

// handles reports whether a process, which may have ended, has a handler for a signal.
func handles(pid int, sig syscall.Signal) bool {
	caught, err := statusField(pid, "SigCgt:")
	return err == nil && caught&(1<<(sig-1)) != 0
}

// statusField returns a field of /proc/PID/status that is a set of signals: signal 1 is
// the lowest bit.
func statusField(pid int, name string) (uint64, error) {
	status, err := readSmall(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the state of a process: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, name); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
			if err != nil {
				return 0, fmt.Errorf("process %d: cannot parse %s %w", pid, name, err)
			}
			return set, nil
		}
	}
	return 0, fmt.Errorf("process %d: no %s", pid, name)
}
