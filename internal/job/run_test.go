//go:build unix

package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// setup is what a test of Run may change.
type setup struct {
	spec *Spec
	opts *Options
	cp   *recorder
}

// runTest is a job that is run, and how it must end.
type runTest struct {
	name     string
	script   string
	setup    func(setup)
	cancel   error // of the context, once the log contains "ready"
	status   string
	signal   string
	reason   string
	canceled error
	output   string   // the whole log; not compared if log is set
	log      []string // what the log must contain, in this order
	phases   []Phase  // that failed
}

// ready is a script that prints "ready" and waits for ever. It is not the shell that does so,
// but cat: a shell could be about to start the next command, and the new process, before it
// runs its program, loses a signal. waits prints more if it goes on.
const (
	ready = "mkfifo f; echo ready | cat - f"
	waits = ready + "; echo never"
)

// runAll runs jobs, beside each other.
func runAll(t *testing.T, tests []runTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, tt.script)
			opts.CancelGrace, opts.OutputGrace = long, long
			if tt.setup != nil {
				tt.setup(setup{&spec, &opts, cp})
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cancel != nil {
				go func() {
					cp.await(t, "ready")
					cancel(tt.cancel)
				}()
			}
			result, err := Run(ctx, spec, cp, opts)
			if result.ExitStatus != tt.status || result.Signal != tt.signal || result.SignalReason != tt.reason {
				t.Errorf("ended with %q, signal %q, reason %q; want %q, %q, %q",
					result.ExitStatus, result.Signal, result.SignalReason, tt.status, tt.signal, tt.reason)
			}
			if !errors.Is(result.Canceled, tt.canceled) {
				t.Errorf("canceled for %v, want %v", result.Canceled, tt.canceled)
			}
			checkPhases(t, err, tt.phases)
			checkCalls(t, cp, result)
			checkLog(t, cp, tt.output, tt.log)
			checkEmpty(t, opts.BuildPath)
		})
	}
}

// TestRun runs real commands to their end.
func TestRun(t *testing.T) {
	t.Parallel()
	runAll(t, []runTest{
		{name: "succeeds", script: "true", status: "0"},
		{name: "fails", script: "exit 7", status: "7"},
		{name: "exits with 255", script: "exit 255", status: "255"},
		{name: "stops at the first error", script: "echo a; false; echo b", status: "1", output: "a\n"},
		{name: "command not found", script: "no-such-command-here", status: "127", log: []string{"no-such-command-here"}},
		{name: "script of several lines", script: "a=1\nb=2\necho $((a+b))\n", status: "0", output: "3\n"},
		{name: "shell quoting is preserved", script: `printf '%s|' 'a  b' "c'd" 'e"f'`, status: "0", output: `a  b|c'd|e"f|`},
		{name: "both outputs in order", script: "echo 1; echo 2 >&2; echo 3; echo 4 >&2", status: "0", output: "1\n2\n3\n4\n"},
		{name: "input is empty", script: "cat; echo end", status: "0", output: "end\n"},
		{
			name:   "bytes pass untouched",
			script: `printf 'nul\000 bad\377\376 cr\r\033[31mred\033[0m\r\n\n no end'`, status: "0",
			output: "nul\x00 bad\xff\xfe cr\r\x1b[31mred\x1b[0m\r\n\n no end",
		},
		{name: "killed by another process", script: "kill -KILL $$", status: "-1", signal: "SIGKILL"},
		{name: "signaled by another process", script: "kill -USR1 $$", status: "-1", signal: "SIGUSR1"},
		{
			name: "configured shell", script: "$0 $1", setup: func(s setup) { s.opts.Shell = []string{"/bin/echo", "run:"} },
			status: "0", output: "run: $0 $1\n",
		},
		{
			name: "build path is created", script: "pwd",
			setup:  func(s setup) { s.opts.BuildPath = filepath.Join(s.opts.BuildPath, "a", "b") },
			status: "0", log: []string{"/a/b/job-"},
		},
		{
			name: "the ID is not a path", script: "pwd", setup: func(s setup) { s.spec.ID = "../../étc" },
			status: "0", log: []string{"/job-_______tc-"},
		},
		{
			name: "within the timeout", script: "exit 3", setup: func(s setup) { s.spec.TimeoutSeconds = 1 << 62 }, status: "3",
		},
	})
}

// checkPhases checks that these phases failed, and no others, and that the job
// was not abandoned.
func checkPhases(t *testing.T, err error, failed []Phase) {
	t.Helper()
	for _, phase := range []Phase{PhaseSpec, PhaseStart, PhasePrepare, PhaseProcess, PhaseFlush, PhaseFinish} {
		if got, want := errors.Is(err, phase), slices.Contains(failed, phase); got != want {
			t.Errorf("phase %s failed: %v, want %v (%v)", phase, got, want, err)
		}
	}
	if errors.Is(err, ErrAbandoned) {
		t.Errorf("abandoned: %v", err)
	}
}

// checkCalls checks that the start was reported first, the finish last, and both
// once.
func checkCalls(t *testing.T, cp *recorder, result Result) {
	t.Helper()
	last := len(cp.calls) - 1
	if last < 1 || cp.calls[0] != "start" || cp.calls[last] != "finish" || slices.Contains(cp.calls[1:last], "finish") {
		t.Errorf("calls %v", cp.calls)
	}
	if len(cp.finished) != 1 || cp.finished[0] != result.FinishRequest {
		t.Errorf("finished with %+v, returned %+v", cp.finished, result)
	}
	finishedAt, err := time.Parse(time.RFC3339Nano, result.FinishedAt)
	if err != nil || result.StartedAt.IsZero() || finishedAt.Before(result.StartedAt) {
		t.Errorf("from %v to %q, %v", result.StartedAt, result.FinishedAt, err)
	}
}

// checkLog checks the log as the control plane has it.
func checkLog(t *testing.T, cp *recorder, whole string, parts []string) {
	t.Helper()
	log, err := cp.log()
	if err != nil {
		t.Error(err)
	}
	if parts == nil && string(log) != whole {
		t.Errorf("log %q, want %q", log, whole)
	}
	rest := string(log)
	for _, part := range parts {
		at := strings.Index(rest, part)
		if at < 0 {
			t.Fatalf("the log has no %q at this place:\n%.2000s", part, log)
		}
		rest = rest[at+len(part):]
	}
}

// checkEmpty checks that no working directory is left.
func checkEmpty(t *testing.T, buildPath string) {
	t.Helper()
	if left, err := os.ReadDir(buildPath); err == nil && len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
