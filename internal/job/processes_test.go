//go:build unix

package job

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// lifeline is a named pipe that every process of a job holds open for writing. It
// ends when the last of them has ended, so the test need not poll a list of
// processes.
type lifeline struct {
	path string
	read *os.File
}

func newLifeline(t *testing.T) *lifeline {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alive")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}

	// Non-blocking, as there is no writer yet.
	read, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) //nolint:gosec // the path is the test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close() })
	return &lifeline{path, read}
}

// gone waits until no process holds the lifeline.
func (l *lifeline) gone(t *testing.T) {
	t.Helper()
	if err := l.read.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, l.read); err != nil {
		t.Errorf("a process of the job still runs: %v", err)
	}
}

// TestRunLeavesNoProcess checks that the whole group of a job ends soon, however the
// job ends.
func TestRunLeavesNoProcess(t *testing.T) {
	t.Parallel()

	// A grandchild that ignores SIGTERM.
	const ignoresTerm = "(trap '' TERM; echo up; while :; do sleep 1; done)"
	tests := []struct {
		name   string
		script string
		cancel bool
		setup  func(*Options)
		status string
		signal string
		log    []string
	}{
		{
			name: "grandchildren end with a canceled job", cancel: true, status: "-1", signal: "SIGTERM",
			script: "sh -c 'sleep 600' & sh -c 'sleep 600 & sleep 600' & echo ready; wait",
			log:    []string{"ready", "sent SIGTERM"},
		},
		{
			name: "grandchildren that ignore SIGTERM are killed after the grace period", cancel: true, status: "-1", signal: "SIGTERM",
			script: ignoresTerm + " & " + ignoresTerm + " & echo ready; wait",
			setup:  func(o *Options) { o.CancelGrace = 200 * time.Millisecond },
			log:    []string{"ready", "sent SIGTERM", "held its output open"},
		},
		{
			name: "a job that ignores SIGTERM is killed with its grandchildren", cancel: true, status: "-1", signal: "SIGKILL",
			script: "trap '' TERM; " + ignoresTerm + " & echo ready; while :; do sleep 1; done",
			setup:  func(o *Options) { o.CancelGrace = 200 * time.Millisecond },
			log:    []string{"ready", "SIGKILL 200ms later"},
		},
		{
			name: "a job leaves a grandchild that holds its output open", status: "5",
			script: ignoresTerm + " & echo ready; exit 5",
			setup:  func(o *Options) { o.OutputGrace = 200 * time.Millisecond },
			log:    []string{"ready", "held its output open"},
		},
		{
			name: "a job leaves a grandchild with another output", status: "0",
			script: "sleep 600 >/dev/null 2>&1 & echo ready",
			log:    []string{"ready"},
		},
		{
			name: "a grandchild that ends soon can write its output", status: "0",
			// It reads from a pipe that ends together with the command.
			script: "mkfifo f; (read x <f || echo late) & exec 8>f; echo ready",
			log:    []string{"ready\n", "late\n"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			line := newLifeline(t)
			cp := &recorder{}
			spec, opts := jobFor(t, `exec 9>"$LIFELINE"; `+tt.script)
			spec.Env["LIFELINE"] = line.path
			opts.CancelGrace, opts.OutputGrace = long, long
			if tt.setup != nil {
				tt.setup(&opts)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cancel {
				go func() {
					cp.await(t, "ready")
					for range strings.Count(tt.script, ignoresTerm) {
						cp.await(t, "up\n")
					}
					cancel(ErrCanceled)
				}()
			}
			result, err := Run(ctx, spec, cp, opts)
			if err != nil {
				t.Error(err)
			}
			line.gone(t)
			if result.ExitStatus != tt.status || result.Signal != tt.signal {
				t.Errorf("ended with %q, signal %q; want %q, %q", result.ExitStatus, result.Signal, tt.status, tt.signal)
			}
			checkLog(t, cp, "", tt.log)
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
		})
	}
}

// TestRunEndsWithDaemon leaves a daemon that holds the output open, and that some
// systems do not find. The job ends, its log says so, and has all that the command
// itself has written.
func TestRunEndsWithDaemon(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("setsid"); err != nil {
		t.Skip("no setsid on this system: nothing can leave the group from a shell")
	}
	tests := []struct{ name, daemon string }{
		{"silent", `read x <"$GATE"`},
		{"writing", `while :; do echo; done`}, // until the pipe is closed
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			gate, away := filepath.Join(t.TempDir(), "gate"), filepath.Join(t.TempDir(), "away")
			for _, path := range []string{gate, away} {
				if err := syscall.Mkfifo(path, 0o600); err != nil {
					t.Fatal(err)
				}
			}

			// The daemon ends when the gate is opened and closed again.
			open, err := os.OpenFile(gate, os.O_RDWR, 0) //nolint:gosec // the path is the test's own
			if err != nil {
				t.Fatal(err)
			}
			line := newLifeline(t)
			cp := &recorder{}

			// The command waits until the daemon has left its group; else it would
			// be killed with the group.
			spec, opts := jobFor(t, `exec 9>"$LIFELINE"; setsid sh -c "echo >\"\$AWAY\"; $DAEMON" &
				read x <"$AWAY"; head -c 50000 /dev/zero | tr '\0' '#'; exit 3`)
			spec.Env["DAEMON"], spec.Env["GATE"], spec.Env["AWAY"], spec.Env["LIFELINE"] = tt.daemon, gate, away, line.path
			opts.OutputGrace = 100 * time.Millisecond
			result, err := Run(t.Context(), spec, cp, opts)
			if err != nil || result.ExitStatus != "3" {
				t.Errorf("%+v, %v", result, err)
			}
			log, err := cp.log()
			if got := strings.Count(string(log), "#"); err != nil || got != 50000 {
				t.Errorf("%d bytes of the command's own output, %v", got, err)
			}
			checkLog(t, cp, "", []string{"held its output open"})
			if _, err := open.WriteString("\n"); err != nil {
				t.Error(err)
			}
			line.gone(t)
			_ = open.Close()
		})
	}
}

// TestRunLeaksNothing runs two hundred jobs, which leave no descriptor and no
// process. Goroutines are checked at the end of all tests.
func TestRunLeaksNothing(t *testing.T) {
	line := newLifeline(t)
	one := func(script string) {
		cp := &recorder{}
		spec, opts := jobFor(t, `exec 9>"$LIFELINE"; `+script)
		spec.Env["LIFELINE"] = line.path
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		cp.onChunk = func(context.Context, wire.Chunk) error {
			cancel(ErrCanceled)
			return nil
		}
		if _, err := Run(ctx, spec, cp, opts); err != nil && !errors.Is(err, PhaseProcess) {
			t.Error(err)
		}
	}
	one("true") // opens what is opened once per process, such as the poller of the runtime
	before := descriptors(t)
	for range 50 {
		one("exit 1")
		one("sleep 600 >&- 2>&- &")
		one("echo; sleep 600 & wait")
		one(": " + strings.Repeat("x", 4<<20))
	}
	line.gone(t)
	if after := descriptors(t); after > before { // an earlier test may leave some to the garbage collector
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/dev/fd")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /dev/fd on this system")
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
