package process

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// isolatedVar makes the test program an agent that starts one program.
const isolatedVar = "SWITCHYARD_TEST_ISOLATED"

// TestIsolatedAgent is the agent that TestIsolate runs.
func TestIsolatedAgent(t *testing.T) {
	if os.Getenv(isolatedVar) == "" {
		t.Skip("run by TestIsolate")
	}
	if err := Isolate(); err != nil {
		t.Fatal(err)
	}
	_, state := programEnds(t, "cat", "/proc/self/status") // not in a shell, which may unblock signals
	exit, text := programEnds(t, "/bin/sh", "-c", "ls /proc/$$/fd; kill -HUP $$; echo not ended")
	// It goes on ignoring the signals itself.
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGTSTP} {
		if err := unix.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%s\n%s\nended by <%s>", state, text, exit.Signal)
}

// programEnds runs a program to its end, and returns how it ended, and its output.
func programEnds(t *testing.T, argv ...string) (Exit, string) {
	t.Helper()
	var out bytes.Buffer
	p, err := Start(Command{Name: "the program", Argv: argv, Env: os.Environ(), Dir: "/"}, Options{KillWait: time.Minute, Logger: zap.NewNop()}, &out)
	if err != nil {
		t.Fatal(err)
	}
	p.Wait(t.Context())
	exit, err := p.Collect(time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return exit, out.String()
}

// TestIsolate starts an agent with signals that are ignored and blocked, and an open file,
// and checks what a program of the agent gets of them.
func TestIsolate(t *testing.T) {
	signals := []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGPIPE, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU}
	signal.Ignore(signals...)
	defer signal.Reset(signals...)
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	agent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIsolatedAgent$", "-test.v") //nolint:gosec // this program
	agent.Env = append(os.Environ(), isolatedVar+"=yes")
	agent.ExtraFiles = []*os.File{nil, nil, nil, nil, file} // as descriptor 7
	var out bytes.Buffer
	agent.Stdout, agent.Stderr = &out, &out
	var before, blocked unix.Sigset_t
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGUSR1, unix.SIGTSTP} {
		blocked.Val[0] |= 1 << (sig - 1)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &blocked, &before); err != nil {
		t.Fatal(err)
	}
	err = agent.Start()
	if err := errors.Join(err, unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil)); err != nil {
		t.Fatal(err)
	}
	if err := agent.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	text := out.String()
	for _, field := range []string{"SigBlk", "SigIgn"} {
		if !regexp.MustCompile(field + `:\s0{16}\n`).MatchString(text) {
			t.Errorf("%s is not empty:\n%s", field, text)
		}
	}
	if strings.Contains(text, "\n7\n") {
		t.Errorf("the program has the descriptor of another:\n%s", text)
	}
	if !strings.Contains(text, "ended by <SIGHUP>") || strings.Contains(text, "not ended") {
		t.Errorf("the program ignores SIGHUP:\n%s", text)
	}
}
