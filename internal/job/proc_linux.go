package job

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// proc is one process of the machine, as /proc tells of it.
type proc struct {
	pid, parent, session int
	started              uint64 // in ticks since the machine's start; with the pid it names a process for good
	zombie               bool   // it has ended, and its parent has not asked how
}

// processes gives every process of the machine, by its id. One that ends
// meanwhile may be missing, and so may one that begins.
func processes() (map[int]proc, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("looking for processes: %w", err)
	}
	defer func() { _ = dir.Close() }() // nothing was written through it
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("looking for processes: %w", err)
	}
	found := make(map[int]proc, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue // not a process
		}
		if p, err := processOf(pid); err == nil { // an error: it has ended
			found[pid] = p
		}
	}
	return found, nil
}

// processOf gives one process.
func processOf(pid int) (proc, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return proc{}, fmt.Errorf("reading about a process: %w", err)
	}
	return parseStat(pid, string(stat))
}

// parseStat reads /proc/PID/stat: the id, the name in parentheses, in which
// anything may stand, and then fields that are counted from 3 (proc(5)).
func parseStat(pid int, stat string) (proc, error) {
	const (
		state, parent, session, started = 3, 4, 6, 22
		first                           = state
	)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) <= started-first {
		return proc{}, fmt.Errorf("process %d: %q is not understood", pid, stat)
	}
	p := proc{pid: pid, zombie: strings.ContainsAny(fields[state-first], "ZXx")}
	var errs [3]error
	p.parent, errs[0] = strconv.Atoi(fields[parent-first])
	p.session, errs[1] = strconv.Atoi(fields[session-first])
	p.started, errs[2] = strconv.ParseUint(fields[started-first], 10, 64)
	return p, errors.Join(errs[:]...)
}

// markOf gives the mark in the environment that a process was started with;
// empty if it has none, has ended, or is another user's.
func markOf(pid int) string {
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return ""
	}
	for pair := range bytes.SplitSeq(environ, []byte{0}) {
		if mark, ok := bytes.CutPrefix(pair, []byte(markName+"=")); ok {
			return string(mark)
		}
	}
	return ""
}
