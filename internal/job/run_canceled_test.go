//go:build unix

package job

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunCanceled cancels jobs: by the control plane, by their timeout and by the caller.
func TestRunCanceled(t *testing.T) {
	t.Parallel()
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
	const (
		stays = "trap '' TERM; " + ready
		clean = "trap 'echo cleaned; exit 0' TERM; (" + ready + ") & wait || true; exit 1"
		exit9 = "trap 'exit 9' TERM; (" + ready + ") & wait || true; exit 1"
	)
	runAll(t, []runTest{
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
			status: "-1", signal: "SIGTERM", reason: wire.ReasonTimedOut, canceled: ErrTimedOut, log: []string{"the job timed out: sent SIGTERM"}, // maybe before it is ready
		},
		{
			name: "token is no longer valid", script: waits, setup: stateIs("", ErrTokenInvalid),
			status: "-1", signal: "SIGTERM", reason: wire.ReasonCancel, canceled: ErrTokenInvalid, log: []string{"no longer valid"},
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
	})
}
