//go:build unix

package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRun runs real commands.
func TestRun(t *testing.T) {
	t.Parallel()
	type setup struct {
		spec *Spec
		opts *Options
		cp   *recorder
	}
	refused := errors.New("422")
	stateIs := func(state wire.JobState, err error) func(setup) {
		return func(s setup) {
			s.cp.onState = func(context.Context) (wire.JobState, error) {
				if log, _ := s.cp.log(); !strings.Contains(string(log), "ready") {
					return "running", nil
				}
				return state, err
			}
		}
	}
	stopping := func(yes bool) func(setup) {
		return func(s setup) {
			s.opts.Stop = NewStop()
			if yes {
				s.opts.Stop.Begin()
			}
		}
	}
	const (
		// Not the shell prints "ready" but cat, which then waits for ever. A shell
		// could be about to start the next command, and the new process, before it
		// runs its program, loses a signal.
		ready = "mkfifo f; echo ready | cat - f"
		waits = ready + "; echo never"
		stays = "trap '' TERM; " + ready
		clean = "trap 'echo cleaned; exit 0' TERM; (" + ready + ") & wait || true; exit 1"
		exit9 = "trap 'exit 9' TERM; (" + ready + ") & wait || true; exit 1"
	)
	tests := []struct {
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
	}{
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
			name: "shell missing", script: "true", setup: func(s setup) { s.opts.Shell = []string{"/no/such/shell"} },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess},
			log: []string{"switchyard: cannot run the job: starting the shell /no/such/shell", "no such file or directory"},
		},
		{
			name: "shell is not a program", script: "true", setup: func(s setup) { s.opts.Shell = []string{"/dev/null"} },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess}, log: []string{"/dev/null", "permission denied"},
		},
		{
			name: "command too long", script: ": " + strings.Repeat("x", 4<<20),
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess},
			log: []string{"cannot run the job", "argument list too long", "put it in a file"},
		},
		{
			name: "no command", script: " \n", status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare},
			log: []string{"cannot run the job", "BUILDKITE_COMMAND is empty"},
		},
		{
			name: "invalid variable name", script: "true", setup: func(s setup) { s.spec.Env["A=B"] = "c" },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare}, log: []string{`"A=B"`},
		},
		{
			name: "invalid value", script: "true", setup: func(s setup) { s.spec.Env["A"] = "b\x00c" },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare}, log: []string{`"A"`},
		},
		{
			name: "build path is a file", script: "true",
			setup: func(s setup) {
				s.opts.BuildPath = filepath.Join(s.opts.BuildPath, "file")
				if err := os.WriteFile(s.opts.BuildPath, nil, 0o600); err != nil {
					panic(err)
				}
			},
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare},
			log: []string{"cannot run the job: creating the build path", "not a directory"},
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
			name: "chunks of 0 bytes", script: "echo never", setup: func(s setup) { s.spec.ChunkMaxSize = 0 },
			status: "-1", reason: wire.ReasonAgentRefused, phases: []Phase{PhaseSpec},
		},
		{
			name: "chunks fail", script: "echo one", setup: func(s setup) {
				s.cp.onChunk = func(context.Context, wire.Chunk) error { return refused }
			}, status: "0", phases: []Phase{PhaseFlush},
		},
		{
			name: "finish fails", script: "true", setup: func(s setup) {
				s.cp.onFinish = func(context.Context) error { return refused }
			}, status: "0", phases: []Phase{PhaseFinish},
		},
		{
			name: "uploads hang past the flush", script: "echo one; exit 3", setup: func(s setup) {
				s.opts.FlushTimeout = time.Millisecond
				s.cp.onChunk = func(ctx context.Context, _ wire.Chunk) error {
					<-ctx.Done()
					return ctx.Err()
				}
			}, status: "3", phases: []Phase{PhaseFlush},
		},
		{
			name: "canceled", script: waits, setup: stateIs("canceling", nil),
			status: "-1", signal: "SIGTERM", reason: wire.ReasonCancel, canceled: ErrCanceled,
			log: []string{"ready\n", "the job was canceled: sent SIGTERM"},
		},
		{
			name: "timed out", script: waits, setup: stateIs("timing_out", nil),
			status: "-1", signal: "SIGTERM", reason: wire.ReasonCancel, canceled: ErrTimedOut, log: []string{"ready\n", "the job timed out"},
		},
		{
			name: "the agent keeps the timeout", script: waits, setup: func(s setup) {
				s.spec.TimeoutSeconds = 1
				stateIs("", errors.New("no response"))(s)
			},
			status: "-1", signal: "SIGTERM", reason: wire.ReasonTimedOut, canceled: ErrTimedOut, log: []string{"ready\n", "the job timed out: sent SIGTERM"},
		},
		{
			name: "within the timeout", script: "exit 3", setup: func(s setup) { s.spec.TimeoutSeconds = 1 << 62 }, status: "3",
		},
		{
			name: "token is no longer valid", script: waits, setup: stateIs("", ErrTokenInvalid),
			status: "-1", signal: "SIGTERM", reason: wire.ReasonCancel, canceled: ErrTokenInvalid, log: []string{"no longer valid"},
		},
		{
			name: "the agent stops", script: waits, cancel: ErrAgentStop,
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, canceled: ErrAgentStop,
			log: []string{"the agent is stopping: sent SIGTERM"},
		},
		{
			name: "a signal to the job and to the agent", script: "kill -TERM $$", setup: stopping(true),
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, log: []string{"the agent is stopping, and the signal for that ended the command, too"},
		},
		{
			name: "a signal to the job, and to the agent a little later", script: "kill -TERM $$",
			setup: func(s setup) {
				s.opts.Stop = NewStop()
				time.AfterFunc(stopNotice/4, s.opts.Stop.Begin)
			},
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, log: []string{"the agent is stopping, and the signal for that ended the command, too"},
		},
		{
			name: "a signal to the job alone", script: "kill -TERM $$", setup: stopping(false),
			status: "-1", signal: "SIGTERM",
		},
		{
			name: "a fault of the job while the agent stops", script: "kill -SEGV $$", setup: stopping(true),
			status: "-1", signal: "SIGSEGV",
		},
		{
			name: "the agent stops, and the job fails by itself", script: "exit 3", setup: stopping(true), status: "3",
		},
		{
			name: "the agent stops, and the job's handler of the signal exits", script: "trap 'exit 3' TERM; kill -TERM $$", setup: stopping(true),
			status: "3", reason: wire.ReasonAgentStop, log: []string{"the signal for that ended the command, too"},
		},
		{
			name: "the agent stops, and the job's handler of the signal says that all is done", script: "trap 'exit 0' TERM; kill -TERM $$", setup: stopping(true),
			status: "0",
		},
		{
			name: "the agent stops, and the job exits as by its signal", script: "exit 143", setup: stopping(true),
			status: "143", reason: wire.ReasonAgentStop, log: []string{"the signal for that ended the command, too"},
		},
		{
			name: "the job exits as by a signal while the agent runs", script: "exit 143", setup: stopping(false), status: "143",
		},
		{
			name: "the job is killed while the agent stops", script: "kill -KILL $$", setup: stopping(true),
			status: "-1", signal: "SIGKILL",
		},
		{
			name: "the caller cancels", script: waits, cancel: ErrCanceled,
			status: "-1", signal: "SIGTERM", reason: wire.ReasonCancel, canceled: ErrCanceled, log: []string{"ready\n"},
		},
		{
			name: "the caller passes no cause", script: waits, cancel: context.Canceled,
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, canceled: context.Canceled, log: []string{"ready\n"},
		},
		{
			name: "another signal", script: waits, cancel: ErrCanceled, setup: func(s setup) { s.opts.CancelSignal = syscall.SIGINT },
			status: "-1", signal: "SIGINT", reason: wire.ReasonCancel, canceled: ErrCanceled, log: []string{"sent SIGINT"},
		},
		{
			name: "cleans up at the cancel signal", script: clean, cancel: ErrCanceled,
			status: "0", reason: wire.ReasonCancel, canceled: ErrCanceled, log: []string{"ready\ncleaned\n", "and the command ended"},
		},
		{
			name: "exits with a status of its own at the cancel signal", script: exit9, cancel: ErrCanceled,
			status: "9", reason: wire.ReasonCancel, canceled: ErrCanceled, log: []string{"ready\n"},
		},
		{
			name: "ignores the cancel signal", script: stays, cancel: ErrCanceled, setup: func(s setup) { s.opts.CancelGrace = 50 * time.Millisecond },
			status: "-1", signal: "SIGKILL", reason: wire.ReasonCancel, canceled: ErrCanceled, log: []string{"sent SIGTERM", "and SIGKILL 50ms later"},
		},
		{
			name: "finish outlives the agent's stop", script: waits, cancel: ErrAgentStop, setup: func(s setup) {
				s.cp.onFinish = func(ctx context.Context) error { return ctx.Err() }
			},
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, canceled: ErrAgentStop, log: []string{"ready\n"},
		},
		{
			name: "finish does not delay an agent that stops", script: waits, cancel: ErrAgentStop, setup: func(s setup) {
				s.opts.LeaveTimeout = 500 * time.Millisecond
				s.cp.onFinish = func(ctx context.Context) error {
					<-ctx.Done()
					return ctx.Err()
				}
			},
			status: "-1", signal: "SIGTERM", reason: wire.ReasonAgentStop, canceled: ErrAgentStop,
			log: []string{"ready\n"}, phases: []Phase{PhaseFinish},
		},
	}
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
