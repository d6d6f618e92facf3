//go:build unix

package job

import (
	"context"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunStopped runs jobs while their agent stops, which may be why their command ends.
func TestRunStopped(t *testing.T) {
	t.Parallel()
	stopping := func(yes bool) func(setup) {
		return func(s setup) {
			s.opts.Stop = NewStop()
			if yes {
				s.opts.Stop.Begin()
			}
		}
	}
	runAll(t, []runTest{
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
	})
}
