package job

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/process"
)

// TestEndedWithAgent has a row for each way in which a command ends that the agent has
// not canceled, and for the time between that and the agent's stop.
func TestEndedWithAgent(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	signaled := func(name string) process.Exit { return process.Exit{Code: -1, Signal: name} }
	exited := func(code int) process.Exit { return process.Exit{Code: code} }
	for _, row := range []struct {
		name    string
		exit    process.Exit
		handles bool
		stop    time.Duration // of the agent, after the end of the command
		want    bool
	}{
		{"a signal to the whole group", signaled("SIGTERM"), false, -time.Second, true},
		{"a signal in a long drain", signaled("SIGTERM"), false, -time.Hour, true},
		{"a signal that the agent notices later", signaled("SIGINT"), false, stopNotice / 2, true},
		{"the signal of a lost terminal", signaled("SIGHUP"), false, -time.Second, true},
		{"a signal of its own, and the agent stops later", signaled("SIGTERM"), false, 2 * stopNotice, false},
		{"a signal while the agent runs", signaled("SIGTERM"), false, never, false},
		{"killed for its memory in a drain", signaled("SIGKILL"), false, -time.Second, false},
		{"killed while the agent runs", signaled("SIGKILL"), false, never, false},
		{"a fault of its own in a drain", signaled("SIGSEGV"), true, -time.Second, false},
		{"a pipe that is closed in a drain", signaled("SIGPIPE"), true, -time.Second, false},

		{"reports the signal as its status", exited(143), false, -time.Second, true},
		{"reports the signal a long time later", exited(143), true, -time.Hour, true},
		{"reports a signal that the agent notices later", exited(130), true, stopNotice / 2, true},
		{"reports a signal while the agent runs", exited(143), true, never, false},
		{"reports that it was killed", exited(137), true, -time.Hour, false},
		{"reports a fault", exited(139), false, -time.Second, false},

		{"its handler exits", exited(9), true, -time.Second, true},
		{"its handler cleans up, and exits", exited(1), true, -handlerTime / 2, true},
		{"it fails long after the signal", exited(1), true, -2 * handlerTime, false},
		{"it fails in a drain, and has no handler", exited(1), false, -time.Second, false},
		{"it fails while the agent runs", exited(1), true, never, false},
		{"it succeeds in a drain", exited(0), true, -time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				stop := NewStop()
				if row.stop <= 0 {
					stop.Begin()
					time.Sleep(-row.stop)
				} else {
					defer time.AfterFunc(row.stop, stop.Begin).Stop()
				}
				if got := endedWithAgent(row.exit, row.handles, stop); got != row.want {
					t.Errorf("got %t, want %t", got, row.want)
				}
			})
		})
	}
	if endedWithAgent(signaled("SIGTERM"), true, nil) {
		t.Error("an agent that never stops has ended a job")
	}
}
