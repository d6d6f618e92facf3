package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

const (
	cgroupPrefix   = "switchyard-" // of the group of an agent, before its ID
	leafSuffix     = ".agent"      // of the group that the agent itself moves to
	cgroupPeriod   = 100_000       // µs in which the CPU time of a limit is spent
	controlFile    = "cgroup.subtree_control"
	processesFile  = "cgroup.procs"
	cgroupFileMode = 0o644
	cgroupDirMode  = 0o755
)

// Cgroups makes a control group (cgroup v2) for each program. All that a program starts
// is in its group, whatever it does to its environment, its session and its parents, so
// that it can be ended and measured as one. Its methods may be called concurrently, and
// on nil, which makes no groups.
//
// It writes a few files by itself: the libraries for this link a client of systemd and a
// compiler of filters for devices.
type Cgroups struct {
	dir    string   // of the agent's group, in which those of programs are
	leaf   string   // of the group to which the agent has moved; empty if it has not
	usable []string // the controllers that can be used
	logger *zap.Logger
	made   atomic.Int64
	broken atomic.Bool // programs cannot be started in groups; see failed
	ready  readyGroups
}

// OpenCgroups makes the group of an agent below the group of this process, which must be
// delegated to it, as systemd does with Delegate=yes, or this process is root. id is a
// name that no other agent has. limits are those that every program has: without the
// controllers that they need, it returns an error. For controllers this process moves to a
// group of its own if it is alone in its group. The caller must call Close.
func OpenCgroups(id string, limits Limits, logger *zap.Logger) (*Cgroups, error) {
	own, err := ownCgroup()
	if err != nil {
		return nil, err
	}
	// To start a process in a group below takes the right to move it there.
	if err := unix.Access(filepath.Join(own, processesFile), unix.W_OK); err != nil {
		return nil, fmt.Errorf("control group %s is not delegated to this process: %w", own, err)
	}
	c := &Cgroups{dir: filepath.Join(own, cgroupPrefix+id), logger: logger}
	if err := os.Mkdir(c.dir, cgroupDirMode); err != nil {
		return nil, fmt.Errorf("making a control group: %w", err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, "cgroup.kill")); err != nil { // a kernel before 5.14
		return nil, errors.Join(fmt.Errorf("making a control group: %w", err), os.Remove(c.dir))
	}
	if err := c.enable(own, limits); err != nil {
		return nil, errors.Join(fmt.Errorf("limits of jobs: %w", err), c.Close())
	}
	return c, nil
}

// ownCgroup returns the directory of the control group of this process.
func ownCgroup() (string, error) {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", fmt.Errorf("finding the control group: %w", err)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", fmt.Errorf("finding the control group: %w", err)
	}
	return findCgroup(string(groups), string(mounts))
}

// findCgroup returns the directory of a control group, from /proc/self/cgroup and
// /proc/self/mountinfo.
func findCgroup(groups, mounts string) (string, error) {
	group := ""
	for line := range strings.Lines(groups) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			group = path
		}
	}
	if group == "" || strings.HasPrefix(group, "/..") {
		return "", errors.New("finding the control group: this process is in none of cgroup v2")
	}
	const root, point = 3, 4 // fields of a line
	for line := range strings.Lines(mounts) {
		place, kind, _ := strings.Cut(line, " - ")
		fields := strings.Fields(place)
		if !strings.HasPrefix(kind, "cgroup2 ") || len(fields) <= point {
			continue
		}
		rest, ok := strings.CutPrefix(group, strings.TrimSuffix(fields[root], "/"))
		if !ok {
			continue
		}
		return filepath.Join(strings.ReplaceAll(fields[point], `\040`, " "), rest), nil
	}
	return "", errors.New("finding the control group: cgroup v2 is not mounted")
}

// enable enables the controllers for the groups of programs that it can: for what they
// measure, and for programs with limits of their own. It returns an error if limits need
// another one.
func (c *Cgroups) enable(own string, limits Limits) error {
	var errs []error
	for _, controller := range []string{"memory", "cpu", "pids"} {
		err := writeCgroup(own, controlFile, "+"+controller)
		if errors.Is(err, unix.EBUSY) {
			if err = c.moveAway(own); err == nil {
				err = writeCgroup(own, controlFile, "+"+controller)
			}
		}
		if err == nil {
			err = writeCgroup(c.dir, controlFile, "+"+controller)
		}
		if err == nil {
			c.usable = append(c.usable, controller)
		} else if slices.Contains(limits.controllers(), controller) {
			errs = append(errs, fmt.Errorf("the controller %s cannot be used: %w", controller, err))
		}
	}
	return errors.Join(errs...)
}

// moveAway moves this process to a group of its own, because a group whose limits are
// passed on must have no process.
func (c *Cgroups) moveAway(own string) error {
	if c.leaf != "" {
		return nil
	}
	self := strconv.Itoa(os.Getpid())
	processes, err := os.ReadFile(filepath.Join(own, processesFile)) //nolint:gosec // of the system
	if err != nil {
		return err //nolint:wrapcheck // the caller wraps it
	}
	if strings.TrimSpace(string(processes)) != self {
		return errors.New("the control group of this agent has other processes; start the agent as a service with Delegate=yes")
	}
	leaf := c.dir + leafSuffix
	if err := os.Mkdir(leaf, cgroupDirMode); err != nil {
		return err //nolint:wrapcheck // as above
	}
	c.leaf = leaf
	return writeCgroup(leaf, processesFile, self)
}

// Dir returns the directory of the agent's group; "" if c is nil.
func (c *Cgroups) Dir() string {
	if c == nil {
		return ""
	}
	return c.dir
}

// Close removes the group of the agent. No program may run any more.
func (c *Cgroups) Close() error {
	if c == nil {
		return nil
	}
	err := errors.Join(c.ready.close(), removeCgroup(c.dir))
	if c.leaf == "" {
		return err
	}
	own := filepath.Dir(c.dir)
	for _, controller := range []string{"-memory", "-cpu", "-pids"} {
		_ = writeCgroup(own, controlFile, controller) // one that is not enabled
	}
	return errors.Join(err, writeCgroup(own, processesFile, strconv.Itoa(os.Getpid())), os.Remove(c.leaf))
}

// RemoveCgroups ends what is left in the group of a killed agent, and removes it. It does
// nothing if dir is not a group of an agent with that ID.
func RemoveCgroups(dir, id string, limit time.Duration) error {
	if filepath.Base(dir) != cgroupPrefix+id || !filepath.IsAbs(dir) || id == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, processesFile)); err != nil {
		return nil // it is gone
	}
	g, err := openCgroup(dir)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(g.fd) }() // only read
	leaf := os.Remove(dir + leafSuffix)
	if errors.Is(leaf, fs.ErrNotExist) {
		leaf = nil
	}
	return errors.Join(g.kill(limit), removeCgroup(dir), leaf)
}

// Check returns an ErrNoLimits if a program cannot have these limits.
func (c *Cgroups) Check(limits Limits) error {
	names := limits.controllers()
	switch {
	case len(names) == 0:
		return nil
	case c == nil:
		return fmt.Errorf("%w: this agent may make no control groups; start it as a service with Delegate=yes", ErrNoLimits)
	case c.broken.Load():
		return fmt.Errorf("%w: the system starts no process in a control group of this agent", ErrNoLimits)
	}
	for _, name := range names {
		if !slices.Contains(c.usable, name) {
			return fmt.Errorf("%w: the controller %s of control groups cannot be used by this agent", ErrNoLimits, name)
		}
	}
	return nil
}

// make makes the group of one program. It returns nil if there are none.
func (c *Cgroups) make(limits Limits) (*cgroup, error) {
	if err := c.Check(limits); err != nil {
		return nil, err
	}
	if c == nil || c.broken.Load() {
		return nil, nil //nolint:nilnil // no group is not an error
	}
	g := c.readyGroup()
	if g == nil {
		var err error
		if g, err = c.makeGroup(); err != nil {
			return nil, err
		}
	}
	g.limits = limits
	if err := g.limit(); err != nil {
		return nil, errors.Join(fmt.Errorf("making a control group: %w", err), g.remove())
	}
	return g, nil
}

// failed notes that a program could not be started in a group, and is started without. Later
// ones are started without, too, unless the system was only out of something for a moment.
func (c *Cgroups) failed(err error) {
	for _, passing := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.EAGAIN, unix.EINTR} {
		if errors.Is(err, passing) {
			c.logger.Warn("a job could not be started in a control group; it is started without", zap.Error(err))
			return
		}
	}
	if !c.broken.Swap(true) {
		c.logger.Warn("jobs cannot be started in control groups; they are started without", zap.Error(err))
	}
}

// removeCgroup removes a group and those that programs have made in it.
func removeCgroup(dir string) error {
	err := unix.Rmdir(dir) // not os.Remove, which first tries to remove a file
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	groups, listErr := os.ReadDir(dir)
	if listErr != nil {
		return errors.Join(err, listErr)
	}
	for _, group := range groups {
		if group.IsDir() {
			if err := removeCgroup(filepath.Join(dir, group.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(dir); err != nil {
		return fmt.Errorf("removing a control group: %w", err)
	}
	return nil
}

// writeCgroup writes to a file of a group, which exists.
func writeCgroup(dir, file, text string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, cgroupFileMode) //nolint:gosec // of the system
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
