package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is the group of one program. Its methods may be called on nil.
type cgroup struct {
	dir    string
	fd     int // of dir, for the start of a program in it, and to read its files
	limits Limits
	memory bool // the kernel measures its memory
}

// openCgroup opens a group that exists.
func openCgroup(dir string) (*cgroup, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a control group: %w", err)
	}
	return &cgroup{dir: dir, fd: fd}, nil
}

// limit sets the limits.
func (g *cgroup) limit() error {
	var errs []error
	if g.limits.Memory > 0 {
		errs = append(errs, writeCgroup(g.dir, "memory.max", strconv.FormatInt(g.limits.Memory, 10)),
			writeCgroup(g.dir, "memory.oom.group", "1")) // not one process, whose parent may go on
		err := writeCgroup(g.dir, "memory.swap.max", "0")
		if !errors.Is(err, fs.ErrNotExist) { // the kernel has no swap
			errs = append(errs, err)
		}
	}
	if g.limits.CPUs > 0 {
		quota := int64(math.Ceil(g.limits.CPUs * cgroupPeriod))
		errs = append(errs, writeCgroup(g.dir, "cpu.max", fmt.Sprintf("%d %d", quota, cgroupPeriod)))
	}
	if g.limits.PIDs > 0 {
		errs = append(errs, writeCgroup(g.dir, "pids.max", strconv.Itoa(g.limits.PIDs)))
	}
	return errors.Join(errs...)
}

// kill kills all processes of the group and waits until they have ended, at most for limit.
func (g *cgroup) kill(limit time.Duration) error {
	if g == nil {
		return nil
	}
	if ended, _ := g.hasEnded(); ended { // after an error there may be processes
		return nil
	}
	if err := writeCgroup(g.dir, "cgroup.kill", "1"); err != nil {
		return err
	}
	ticker := time.NewTicker(killWaitStep)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); ; <-ticker.C {
		if ended, err := g.hasEnded(); ended || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes in control group %s still run %v after SIGKILL", g.dir, limit)
		}
	}
}

// hasEnded reports whether the group has no process, or was removed.
func (g *cgroup) hasEnded() (bool, error) {
	populated, err := g.populated()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return err == nil && !populated, err
}

// populated reports whether a process of the group has not ended. The error wraps
// fs.ErrNotExist if the group was removed.
func (g *cgroup) populated() (bool, error) {
	text, err := readSmallAt(g.fd, "cgroup.events", make([]byte, smallFile))
	if err != nil {
		return false, fmt.Errorf("control group %s: %w", g.dir, err)
	}
	return !bytes.Contains(text, []byte("populated 0\n")), nil
}

// number returns a number in a file of the group: after a name, or that of the whole file
// if the name is empty. It returns 0 if there is none.
func (g *cgroup) number(file, name string) int64 {
	text, err := readSmallAt(g.fd, file, make([]byte, smallFile))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if name != "" {
			key, value, _ := bytes.Cut(line, []byte(" "))
			if string(key) != name {
				continue
			}
			line = value
		}
		n, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		return n
	}
	return 0
}

// addUsage replaces what is known of the program alone by what its group has used.
func (g *cgroup) addUsage(u *Usage) {
	if g == nil {
		return
	}
	if cpu := time.Duration(g.number("cpu.stat", "usage_usec")) * time.Microsecond; cpu > 0 {
		u.CPU, u.Group = cpu, true
	}
	peak := int64(0)
	if g.memory {
		peak = g.number("memory.peak", "")
	}
	if peak > 0 {
		u.PeakMemory = peak
	} else {
		u.Group = false // the memory is that of one process
	}
	if g.limits.Memory > 0 && g.number("memory.events", "oom_kill") > 0 {
		u.MemoryLimit = g.limits.Memory
	}
}

// remove removes the group, which must be empty.
func (g *cgroup) remove() error {
	if g == nil {
		return nil
	}
	return errors.Join(unix.Close(g.fd), removeCgroup(g.dir))
}

// startIn makes cmd start in the group.
func (g *cgroup) startIn(cmd *exec.Cmd) {
	if g != nil {
		cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, g.fd
	}
}
