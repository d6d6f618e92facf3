package process

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
)

// newReaper returns a Reaper for one test, which must not run in parallel with others.
func newReaper(tb testing.TB) *Reaper {
	tb.Helper()
	r, err := NewReaper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.Close(); err != nil {
			tb.Error(err)
		}
	})
	return r
}

// run runs a script to its end and returns its output.
func run(tb testing.TB, r *Reaper, script string) string {
	tb.Helper()
	_, output := runToEnd(tb, r, script)
	return output
}

// runToEnd is run, and returns the program too.
func runToEnd(tb testing.TB, r *Reaper, script string) (*Process, string) {
	tb.Helper()
	var output strings.Builder
	p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", script}, Env: os.Environ()},
		Options{Reaper: r, CancelSignal: syscall.SIGTERM, CancelGrace: time.Second, KillWait: 10 * time.Second, Logger: zap.NewNop()}, &output)
	if err != nil {
		tb.Fatal(err)
	}
	p.Wait(context.Background())
	if _, err := p.Collect(time.Now()); err != nil {
		tb.Error(err)
	}
	return p, output.String()
}

// TestLeft runs programs beside another one: what each has left running is ended with it,
// and only that is read.
func TestLeft(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	r := newReaper(t)
	startOther(t, r)
	read := func(*Reaper) (map[int]proc, error) { return r.read() }
	begun := filepath.Join(t.TempDir(), "begun")
	until := " & until [ -e " + begun + " ]; do sleep 0.01; done; rm " + begun
	for _, tt := range []struct {
		name, script string
		left         int // processes that the program leaves running, which write their IDs
	}{
		{"nothing", "true", 0},
		{"children in its group", "sleep 600 & sleep 600 & exit", 0},
		{"a daemon", "setsid sh -c 'echo $$; : >" + begun + "; exec sleep 600'" + until, 1},
		{"a daemon below another", "setsid sh -c 'echo $$; setsid sh -c \"echo \\$\\$; : >" + begun + "; exec sleep 600\" & sleep 600'" + until, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			output := run(t, r, tt.script)
			output = strings.ReplaceAll(output, "Killed\n", "") // of a shell whose child was killed before it
			pids := strings.Fields(output)
			if len(pids) != tt.left {
				t.Errorf("output %q", pids)
			}
			for _, pid := range pids {
				if _, err := os.Stat("/proc/" + pid); err == nil {
					t.Errorf("process %s is left", pid)
				}
			}
			if _, err := r.snapshot(read, func(all map[int]proc) map[int]proc {
				if len(all) > 0 {
					t.Errorf("read after its end: %+v", all)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLeftUnknown runs a program that leaves a process with no sign of where it comes from,
// beside another program: it is not ended, and that is known.
func TestLeftUnknown(t *testing.T) {
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid")
	}
	r := newReaper(t)
	startOther(t, r)
	begun := filepath.Join(t.TempDir(), "begun")
	daemon := "setsid env -i sh -c 'echo $$; : >" + begun + "; exec sleep 600' & until [ -e " + begun + " ]; do sleep 0.01; done"
	for _, tt := range []struct {
		name, script string
		left         bool
	}{{"nothing", "true", false}, {"a daemon without an environment", daemon, true}} {
		t.Run(tt.name, func(t *testing.T) {
			p, output := runToEnd(t, r, tt.script)
			if got := p.Left(); got != tt.left {
				t.Errorf("processes may be left: %t, want %t", got, tt.left)
			}
			if pid, err := strconv.Atoi(strings.TrimSpace(output)); err == nil {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Error("the daemon is not left:", err)
				}
			}
		})
	}
}

// startOther starts a program that runs until the end of the test, and returns its process.
func startOther(t *testing.T, r *Reaper) int {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", "sleep 600 & wait"}, Env: os.Environ()},
		Options{Reaper: r, CancelSignal: syscall.SIGKILL, CancelGrace: time.Second, KillWait: 10 * time.Second, Logger: zap.NewNop()}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		p.Wait(ctx)
		if _, err := p.Collect(time.Now()); err != nil {
			t.Error(err)
		}
	})
	return p.PID()
}

// TestReadChildren reads the children of this process and of one that has ended.
func TestReadChildren(t *testing.T) {
	r := newReaper(t)
	pid := startOther(t, r)
	children, err := readChildren(os.Getpid())
	if err != nil || len(children) == 0 {
		t.Fatalf("children %v, %v: this kernel does not list them", children, err)
	}
	found := map[int]proc{}
	if err := addTree(found, pid); err != nil || found[pid].parent != os.Getpid() {
		t.Errorf("the tree of %d is %+v, %v", pid, found, err)
	}
	if _, err := readChildren(1 << 30); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

// BenchmarkProcess measures a program that does nothing, from its start to its end, with
// few other processes on the machine and with 5,000.
func BenchmarkProcess(b *testing.B) {
	for _, others := range []int{10, 5000} {
		b.Run("others="+strconv.Itoa(others), func(b *testing.B) {
			end := sleepers(b, others)
			defer end()
			r := newReaper(b)
			for b.Loop() {
				run(b, r, "exit 0")
			}
		})
	}
	b.Run("in a control group", func(b *testing.B) {
		r := newReaper(b)
		c, err := OpenCgroups("bench-"+strconv.Itoa(os.Getpid()), Limits{}, zap.NewNop())
		if err != nil {
			b.Skip(err)
		}
		defer func() { _ = c.Close() }()
		for b.Loop() {
			p, err := Start(Command{Name: "the shell", Argv: []string{"/bin/sh", "-c", "exit 0"}, Env: os.Environ()}, groupOptions(c, r), io.Discard)
			if err != nil {
				b.Fatal(err)
			}
			p.Wait(b.Context())
			if _, err := p.Collect(time.Now()); err != nil {
				b.Error(err)
			}
			p.Release()
		}
	})
}

// sleepers starts processes that belong to another one, and returns a function that ends
// them.
func sleepers(b *testing.B, count int) func() {
	b.Helper()
	script := "i=0; while [ $i -lt " + strconv.Itoa(count) + " ]; do sleep 600 & i=$((i+1)); done; echo ready; wait"
	cmd := exec.CommandContext(b.Context(), "/bin/sh", "-c", script) //nolint:gosec // a constant
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_, _ = output.Read(make([]byte, 1))
	return func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}
}
