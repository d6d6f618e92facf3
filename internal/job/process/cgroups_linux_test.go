package process

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// TestFindCgroup finds the directory of a control group.
func TestFindCgroup(t *testing.T) {
	t.Parallel()
	const (
		v2    = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"
		v1    = "30 23 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
		below = "31 23 0:26 /system.slice /mnt/my\\040groups rw - cgroup2 cgroup2 rw\n"
	)
	for _, tt := range []struct{ name, groups, mounts, want string }{
		{"a service", "0::/system.slice/agent.service\n", v1 + v2, "/sys/fs/cgroup/system.slice/agent.service"},
		{"the root", "8:pids:/\n0::/\n", v1 + v2, "/sys/fs/cgroup"},
		{"a part is mounted", "0::/system.slice/agent.service\n", below, "/mnt/my groups/agent.service"},
		{"another part is mounted", "0::/user.slice\n", below, ""},
		{"only version 1", "8:pids:/\n", v1, ""},
		{"not mounted", "0::/\n", v1, ""},
		{"outside of the namespace", "0::/../x\n", v2, ""},
		{"nothing", "", "", ""},
		{"a short line", "0::/\n", "29 23 - cgroup2 cgroup2 rw\n", ""},
	} {
		got, err := findCgroup(tt.groups, tt.mounts)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// openGroups opens control groups, on a hierarchy of the test's own if the system has
// mounted none. It skips the test where it may not.
func openGroups(t *testing.T, id string, limits Limits) *Cgroups {
	t.Helper()
	if _, err := ownCgroup(); err != nil {
		dir := t.TempDir()
		if err := unix.Mount("none", dir, "cgroup2", 0, ""); err != nil {
			t.Skipf("cgroup v2 is not mounted, and mounting it takes root: %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	}
	c, err := OpenCgroups(id, limits, zap.NewNop())
	if err != nil {
		t.Skipf("this process may make no control groups here: %v", err)
	}
	return c
}

// agentID returns a name that no other process has.
func agentID(t *testing.T, name string) string {
	t.Helper()
	return name + "-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

func groupOptions(c *Cgroups, r *Reaper) Options {
	return Options{Cgroups: c, Reaper: r, CancelSignal: syscall.SIGTERM, CancelGrace: time.Second, KillWait: 10 * time.Second, Logger: zap.NewNop()}
}

// limited returns the options with limits.
func limited(o Options, limits Limits) Options {
	o.Limits = limits
	return o
}

// inGroup runs a script in a control group, and returns its output and how it ended.
func inGroup(t *testing.T, options Options, script string) (string, Exit) {
	t.Helper()
	var output strings.Builder
	p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", script}, Env: os.Environ()}, options, &output)
	if err != nil {
		t.Fatal(err)
	}
	p.Wait(t.Context())
	exit, err := p.Collect(time.Now())
	p.Release()
	if err != nil {
		t.Error(err)
	}
	return output.String(), exit
}

// TestCgroups runs programs in control groups: what they leave running ends with them,
// even where nothing else shows whose it is, and their groups are removed.
func TestCgroups(t *testing.T) {
	r := newReaper(t)
	c := openGroups(t, agentID(t, "test"), Limits{})
	t.Cleanup(func() { // after the end of the other program, which is in the group of this process
		if err := c.Close(); err != nil || exists(c.dir) {
			t.Errorf("%v; the group of the agent is left: %v", err, exists(c.dir))
		}
	})
	startOther(t, r) // an orphan without a mark may be its
	begun := filepath.Join(t.TempDir(), "begun")
	daemon := "env -i /usr/bin/setsid /bin/sh -c 'echo $$; : >" + begun + "; exec sleep 600' & until [ -e " + begun + " ]; do sleep 0.01; done; rm " + begun
	for i, tt := range []struct {
		name, script string
		left         int
	}{
		{"nothing", "exit 0", 0},
		{"a daemon without environment", daemon, 1},
		{"a group in the group", "mkdir " + c.dir + "/$(basename $(sed -n 's/^0:://p' /proc/self/cgroup))/more; " + daemon, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			output, exit := inGroup(t, groupOptions(c, r), tt.script)
			pids := strings.Fields(output)
			if len(pids) != tt.left || exit.Code != 0 {
				t.Errorf("output %q, %+v", output, exit)
			}
			for _, pid := range pids {
				if _, err := os.Stat("/proc/" + pid); err == nil {
					t.Errorf("process %s is left", pid)
				}
			}
			// All programs have used the group that was ready after the one before.
			groups, _ := filepath.Glob(c.dir + "/*/" + processesFile)
			ready := c.ready.groups
			if len(ready) != 1 || !slices.Equal(groups, []string{filepath.Join(ready[0].dir, processesFile)}) || c.made.Load() != int64(i+2) {
				t.Fatalf("groups are left, beside %v: %v", ready, groups)
			}
			if populated, err := ready[0].populated(); err != nil || populated {
				t.Errorf("the ready group has processes: %t, %v", populated, err)
			}
		})
	}
	_, exit := inGroup(t, groupOptions(c, r), "i=0; (while [ $i -lt 20000 ]; do i=$((i+1)); done) & wait")
	if exit.Usage.CPU == 0 || exit.Usage.Group != (exit.Usage.PeakMemory > 0 && exists(c.dir+"/memory.peak")) {
		t.Errorf("%+v", exit.Usage)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestKillOfUnreadableGroup kills a group of which it cannot be read whether it has processes,
// as when this process has no descriptor left: they are killed, and the error is returned.
func TestKillOfUnreadableGroup(t *testing.T) {
	t.Parallel()
	g := &cgroup{dir: t.TempDir(), fd: -1}
	file := filepath.Join(g.dir, "cgroup.kill")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := g.kill(time.Second)
	if written, _ := os.ReadFile(file); string(written) != "1" || !errors.Is(err, unix.EBADF) || !strings.Contains(err.Error(), g.dir) { //nolint:gosec // of the test
		t.Errorf("error %v, and %q is written to cgroup.kill", err, written)
	}
}

// TestRemoveCgroups ends what a killed agent has left in its group, and nothing else.
func TestRemoveCgroups(t *testing.T) {
	id := agentID(t, "killed")
	c := openGroups(t, id, Limits{})
	inGroup(t, groupOptions(c, nil), "true") // leaves a group that is ready
	p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", "setsid sleep 600 & wait"}, Env: os.Environ()}, groupOptions(c, nil), &strings.Builder{})
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []struct{ dir, id string }{{c.dir, "other"}, {filepath.Dir(c.dir), id}, {"switchyard-" + id, id}, {c.dir, ""}, {c.dir + "/x/switchyard-" + id, id}} {
		if err := RemoveCgroups(other.dir, other.id, 10*time.Second); err != nil || !exists(c.dir) {
			t.Errorf("%v: %v", other, err)
		}
	}
	if c.leaf != "" { // the killed agent is not in its group any more
		own := filepath.Dir(c.dir)
		for _, controller := range []string{"-memory", "-cpu", "-pids"} { // some may not be enabled
			_, _ = writeCgroup(c.dir, controlFile, controller), writeCgroup(own, controlFile, controller)
		}
		if err := writeCgroup(own, processesFile, strconv.Itoa(os.Getpid())); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveCgroups(c.dir, id, 10*time.Second); err != nil || exists(c.dir) || exists(c.leaf) {
		t.Errorf("%v; the group is left: %v", err, exists(c.dir))
	}
	p.Wait(t.Context())
	if exit, _ := p.Collect(time.Now()); exit.Signal != "SIGKILL" {
		t.Errorf("%+v", exit)
	}
	p.Release()
	if err := c.ready.close(); err != nil {
		t.Error(err)
	}
}

// TestReadyGroupsAreBounded ends more programs than groups are ready for.
func TestReadyGroupsAreBounded(t *testing.T) {
	c := openGroups(t, agentID(t, "bounded"), Limits{})
	var used []*cgroup
	for range maxReady + 1 {
		g, err := c.make(Limits{})
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, g)
	}
	for _, g := range used {
		if err := c.replace(g); err != nil {
			t.Error(err)
		}
	}
	if n := len(c.ready.groups); n != maxReady {
		t.Errorf("%d groups are ready", n)
	}
	late, err := c.make(Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.ready.close(), c.ready.add(late), c.Close()); err != nil || exists(c.dir) {
		t.Errorf("%v; the group of the agent is left: %v", err, exists(c.dir))
	}
}

// TestReadyGroupsThatProgramsFind runs programs after others have changed the groups that are
// ready: one was removed, another one has a process.
func TestReadyGroupsThatProgramsFind(t *testing.T) {
	c := openGroups(t, agentID(t, "found"), Limits{})
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, change := range map[string]func(ready string) error{
		"nothing": func(string) error { return nil },
		"removed": os.Remove,
		"used": func(ready string) error {
			leftover := exec.Command("sleep", "600")
			if err := leftover.Start(); err != nil {
				return err
			}
			t.Cleanup(func() {
				if err := leftover.Wait(); err == nil || err.Error() != "signal: killed" {
					t.Errorf("the process in the group has not been killed: %v", err)
				}
			})
			return writeCgroup(ready, processesFile, strconv.Itoa(leftover.Process.Pid))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inGroup(t, groupOptions(c, nil), "true")
			if err := change(c.ready.groups[0].dir); err != nil {
				t.Fatal(err)
			}
			output, exit := inGroup(t, groupOptions(c, nil), "grep ^0: /proc/self/cgroup")
			if exit.Code != 0 || !strings.Contains(output, filepath.Base(c.dir)+"/") || c.broken.Load() {
				t.Errorf("%+v, %q", exit, output)
			}
		})
	}
}

// TestLimitFiles checks what is written to the files of a control group.
func TestLimitFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		limits Limits
		want   []string
	}{
		{"none", Limits{}, nil},
		{"memory", Limits{Memory: 64 << 20}, []string{"memory.max=67108864", "memory.oom.group=1", "memory.swap.max=0"}},
		{"processors", Limits{CPUs: 1.5}, []string{"cpu.max=150000 100000"}},
		{"processes", Limits{PIDs: 20}, []string{"pids.max=20"}},
	} {
		g, err := openCgroup(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(g.fd) })
		g.limits = tt.limits
		for _, name := range []string{"memory.max", "memory.oom.group", "memory.swap.max", "cpu.max", "pids.max"} {
			if err := os.WriteFile(filepath.Join(g.dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.limit(); err != nil {
			t.Error(err)
		}
		var got []string
		files, _ := filepath.Glob(filepath.Join(g.dir, "*"))
		for _, file := range files {
			if text, _ := os.ReadFile(file); len(text) > 0 { //nolint:gosec // of the test
				got = append(got, filepath.Base(file)+"="+string(text))
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestGroupUsage reads the files of a control group whose processes were killed for its
// memory.
func TestGroupUsage(t *testing.T) {
	t.Parallel()
	g, err := openCgroup(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(g.fd) }()
	g.limits, g.memory = Limits{Memory: 100}, true
	for name, text := range map[string]string{
		"cpu.stat": "usage_usec 1500\nuser_usec 1000\n", "memory.peak": "99\n", "memory.events": "low 0\noom 1\noom_kill 2\n",
	} {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	u := Usage{Wall: time.Second, CPU: 1, PeakMemory: 1}
	g.addUsage(&u)
	if want := (Usage{Wall: time.Second, CPU: 1500 * time.Microsecond, PeakMemory: 99, Group: true, MemoryLimit: 100}); u != want {
		t.Errorf("%+v, want %+v", u, want)
	}
}

// TestLimits runs programs that exceed a limit of the kernel, where its controllers can be
// had, and checks that an agent with limits is refused where they cannot.
func TestLimits(t *testing.T) {
	r := newReaper(t)
	own, err := ownCgroup()
	if err != nil {
		t.Skip(err)
	}
	controllers, _ := os.ReadFile(filepath.Join(own, "cgroup.controllers")) //nolint:gosec // of the system
	if !strings.Contains(string(controllers), "memory") {
		id := agentID(t, "limits")
		if _, err := OpenCgroups(id, Limits{Memory: 1 << 20}, zap.NewNop()); err == nil || exists(filepath.Join(own, cgroupPrefix+id)) {
			t.Errorf("limits without controllers: %v", err)
		}
		t.Skipf("not tested here: limits that the kernel keeps; %s has no memory controller of cgroup v2, but %q", own, controllers)
	}
	limits := Limits{Memory: 32 << 20, PIDs: 20}
	c := openGroups(t, agentID(t, "limits"), limits)
	options := limited(groupOptions(c, r), limits)
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	_, exit := inGroup(t, options, "head -c 200000000 /dev/zero | tail -n 1 | cat >/dev/null")
	if exit.Usage.MemoryLimit != 32<<20 || exit.Usage.PeakMemory > 33<<20 || exit.Signal != "SIGKILL" {
		t.Errorf("%+v", exit)
	}
	if output, _ := inGroup(t, options, "i=0; while [ $i -lt 30 ]; do sleep 600 & i=$((i+1)); done; echo all"); strings.Contains(output, "all") {
		t.Errorf("more processes than the limit: %q", output)
	}
}

// TestFailedStarts starts what the system refuses for another reason than its control group,
// and notes failures to make a group: only those that last turn control groups off.
func TestFailedStarts(t *testing.T) {
	notProgram := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(notProgram, []byte("\x00"), 0o700); err != nil { //nolint:gosec // it must be executable
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		fail   func(c *Cgroups) error
		want   error
		broken bool
	}{
		{"not a program", func(c *Cgroups) error {
			_, err := Start(Command{Name: "it", Argv: []string{notProgram}}, groupOptions(c, nil), &strings.Builder{})
			return err
		}, unix.ENOEXEC, false},
		{"a directory that is not one", func(c *Cgroups) error {
			_, err := Start(Command{Name: "it", Argv: []string{"/bin/sh"}, Dir: notProgram}, groupOptions(c, nil), &strings.Builder{})
			return err
		}, unix.ENOTDIR, false},
		{"out of descriptors", func(c *Cgroups) error {
			c.failed(&os.PathError{Op: "open", Err: unix.EMFILE})
			return nil
		}, nil, false},
		{"no right to", func(c *Cgroups) error {
			c.failed(&os.PathError{Op: "mkdir", Err: unix.EPERM})
			return nil
		}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := openGroups(t, agentID(t, "failed"), Limits{})
			if err := tt.fail(c); !errors.Is(err, tt.want) || c.broken.Load() != tt.broken {
				t.Errorf("error %v, want %v; control groups are off: %t, want %t", err, tt.want, c.broken.Load(), tt.broken)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBrokenGroups starts a program in a group that does not exist: without limits it is started
// without a group, and with limits not at all. A program that does not exist is an error
// in both cases, and says nothing about groups.
func TestBrokenGroups(t *testing.T) {
	t.Parallel()
	for _, limits := range []Limits{{}, {PIDs: 5}} {
		c := &Cgroups{dir: filepath.Join(t.TempDir(), "gone"), usable: []string{"pids"}, logger: zap.NewNop()}
		p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", "exit 3"}, Env: os.Environ()}, limited(groupOptions(c, nil), limits), &strings.Builder{})
		if (err == nil) != (limits == Limits{}) || limits != (Limits{}) && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%+v: %v", limits, err)
		}
		if err != nil {
			continue
		}
		p.Wait(t.Context())
		if exit, err := p.Collect(time.Now()); exit.Code != 3 || err != nil {
			t.Errorf("%+v, %v", exit, err)
		}
		p.Release()
	}
}

// TestCheckLimits refuses the limits whose controllers cannot be used, and programs with
// them.
func TestCheckLimits(t *testing.T) {
	t.Parallel()
	all := []string{"memory", "cpu", "pids"}
	broken := &Cgroups{usable: all, logger: zap.NewNop()}
	broken.failed(os.ErrPermission)
	for _, tt := range []struct {
		name   string
		groups *Cgroups
		limits Limits
		want   string // part of the error; empty is none
	}{
		{"no limits without groups", nil, Limits{}, ""},
		{"no limits in groups that are broken", broken, Limits{}, ""},
		{"all controllers", &Cgroups{usable: all}, Limits{Memory: 1, CPUs: 1, PIDs: 1}, ""},
		{"the one that is needed", &Cgroups{usable: []string{"pids"}}, Limits{PIDs: 1}, ""},
		{"without groups", nil, Limits{PIDs: 1}, "Delegate=yes"},
		{"groups that are broken", broken, Limits{CPUs: 1}, "starts no process"},
		{"another controller", &Cgroups{usable: []string{"pids"}}, Limits{PIDs: 1, Memory: 1}, "controller memory"},
		{"no controller", &Cgroups{}, Limits{CPUs: 1}, "controller cpu"},
	} {
		err := tt.groups.Check(tt.limits)
		if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, ErrNoLimits) || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if tt.want == "" {
			continue
		}
		_, err = Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", "exit 3"}, Env: os.Environ()}, limited(groupOptions(tt.groups, nil), tt.limits), &strings.Builder{})
		if !errors.Is(err, ErrNoLimits) {
			t.Errorf("%s: the program was started, or failed otherwise: %v", tt.name, err)
		}
	}
}
