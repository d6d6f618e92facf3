package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// timerPeriod is the period of the timer whose lateness is measured.
	timerPeriod = 5 * time.Millisecond
	// syncCount is the number of writes in syncTimes, and recordSize the size of
	// each: about that of a job's record.
	syncCount  = 200
	recordSize = 600
)

// timerLateness measures how late a timer fires: the delay that a busy machine
// adds to everything that wakes up. The function it returns ends the measurement
// and returns the samples; it may be called again.
func timerLateness(ctx context.Context) (stop func() []time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan []time.Duration, 1)
	go func() {
		var late []time.Duration
		for {
			start := time.Now()
			if pause(ctx, timerPeriod) != nil {
				done <- late
				return
			}
			late = append(late, max(0, time.Since(start)-timerPeriod))
		}
	}()
	return sync.OnceValue(func() []time.Duration {
		cancel()
		return <-done
	})
}

// syncTimes measures small writes with a sync in a directory. The control plane
// does one before each of its acknowledgements.
func syncTimes(dir string) (took []time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, fmt.Errorf("measuring the disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for range syncCount {
		start := time.Now()
		if _, err := f.Write(make([]byte, recordSize)); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		took = append(took, time.Since(start))
	}
	return took, nil
}

// residentMemory returns VmRSS of a process, in bytes.
func residentMemory(pid int) (int64, error) { return memoryOf(pid, "VmRSS:") }

// peakMemory returns VmHWM of a process, the most that VmRSS was, in bytes.
func peakMemory(pid int) (int64, error) { return memoryOf(pid, "VmHWM:") }

// memoryOf returns a line of the status of a process, in bytes, from /proc (proc(5)).
// It returns an error on systems without /proc, like the functions below.
func memoryOf(pid int, field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of a process: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		rest, ok := strings.CutPrefix(line, field)
		if !ok {
			continue
		}
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the memory of a process: %w", err)
		}
		return kilobytes << 10, nil
	}
	return 0, fmt.Errorf("reading the memory of process %d: not reported by the kernel", pid)
}

// timesSlept returns how many times the threads of a process have gone to sleep. It changes
// when one of them was awake.
func timesSlept(pid int) (sum int64, err error) {
	const field = "voluntary_ctxt_switches:"
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("reading the switches of process %d: not reported by the kernel", pid)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, fmt.Errorf("reading the switches of a thread: %w", err)
		}
		for line := range strings.Lines(string(text)) {
			count, ok := strings.CutPrefix(line, field)
			if !ok {
				continue
			}
			n, err := strconv.ParseInt(strings.TrimSpace(count), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the switches of a thread: %w", err)
			}
			sum += n
		}
	}
	return sum, nil
}

// cpuTime returns the CPU time of all threads of a process. It is exact; the
// counter of the process has a resolution of ten milliseconds.
func cpuTime(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("reading the CPU time of process %d: not reported by the kernel", pid)
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return 0, fmt.Errorf("reading the CPU time of a thread: %w", err)
		}
		first, _, _ := strings.Cut(string(text), " ")
		nanoseconds, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the CPU time of a thread: %w", err)
		}
		sum += time.Duration(nanoseconds)
	}
	return sum, nil
}

// cpuTimeWithChildren returns the CPU time of all threads of a process, and of those of its
// children that it has waited for, with a resolution of twenty milliseconds.
func cpuTimeWithChildren(pid int) (time.Duration, error) {
	own, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the CPU time of the children of a process: %w", err)
	}
	// The name, which may have spaces, ends with the last parenthesis; the fields after it
	// begin with the third one of proc_pid_stat(5).
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, system = 16 - 3, 17 - 3
	if len(fields) <= system {
		return 0, fmt.Errorf("reading the CPU time of the children of process %d: not reported by the kernel", pid)
	}
	for _, field := range fields[user : system+1] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the CPU time of the children of a process: %w", err)
		}
		own += time.Duration(ticks) * clockTick
	}
	return own, nil
}

// clockTick is the unit of times in /proc, which is the same on all systems that Go supports.
const clockTick = 10 * time.Millisecond

// cpuIn returns the CPU time that a process uses in a time, in which nobody asks it for
// anything.
func cpuIn(ctx context.Context, pid int, d time.Duration) (time.Duration, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	if err := pause(ctx, d); err != nil {
		return 0, err
	}
	after, err := cpuTime(pid)
	return after - before, err
}

// load returns the machine's load average. A high load makes figures unreliable.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	const averages = 3
	fields := strings.Fields(string(text))
	return strings.Join(fields[:min(averages, len(fields))], " ")
}
