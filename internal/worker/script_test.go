package worker_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// TestScripts runs every script of testdata/worker: a worker with the real
// protocol, in memory and in virtual time, against a control plane that responds
// as the script says. -rewrite writes the results into the scripts. The commands:
//
//	start [mode=M] [after-job] [silence=D] [uptime=D] [acquire=ID]
//	control CALL=RESPONSE ...
//	                    set how the control plane responds from now on
//	say MESSAGE         send a message on the open stream: resume, pause,
//	                    disconnect, job:ID, empty; or end it as planned (end),
//	                    or with an error (lose)
//	network dark|light  lose every byte from now on, or stop doing so
//	job end             end the running job
//	drain, force        ask the worker to leave
//	wait D              let that much time pass
//
// Each prints the calls that the control plane has received since the last
// command, without repetitions, and the state of the worker or why it has left.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/worker/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newControl()
				s := script{newHarness(t, c, c.mux)}
				defer s.close()
				datadriven.RunTest(t, path, s.run)
			})
		})
	}
}

// script runs the commands of one script.
type script struct{ *harness }

func (s script) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "start":
		s.start(t, s.config(t, d))
	case "control":
		for _, a := range d.CmdArgs {
			s.control.set(a.Key, a.Vals[0])
		}
		return "ok\n"
	case "say":
		s.control.say(t, d.CmdArgs[0].Key)
	case "network":
		s.network.Dark.Store(d.CmdArgs[0].Key == "dark")
		return "ok\n"
	case "job":
		s.job <- struct{}{}
	case "drain":
		s.worker.Drain()
	case "force":
		s.worker.Force()
	case "wait":
		time.Sleep(duration(t, d, d.CmdArgs[0].Key))
		synctest.Wait()
		s.control.sortCalls() // the order of concurrent calls is random
	default:
		d.Fatalf(t, "unknown command: %s", d.Cmd)
	}
	synctest.Wait()
	return s.outcome()
}

// outcome returns the calls since it was last called, and the state of the worker.
func (s script) outcome() string {
	var b strings.Builder
	if calls := s.control.takeCalls(); len(calls) > 0 {
		fmt.Fprintf(&b, "%s\n", strings.Join(calls, ", "))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left != "" {
		fmt.Fprintf(&b, "left: %s\n", s.left)
	} else {
		fmt.Fprintf(&b, "in %v\n", s.state)
	}
	return b.String()
}

// config returns the configuration that a start command describes.
func (s script) config(t *testing.T, d *datadriven.TestData) worker.Config {
	t.Helper()
	config := worker.Config{
		RunJob: s.runJob, Observe: s.observe,
		Rand: rand.New(rand.NewPCG(1, 2)), //nolint:gosec // the same jitter in every run
	}
	for _, a := range d.CmdArgs {
		value := ""
		if len(a.Vals) > 0 {
			value = a.Vals[0]
		}
		switch a.Key {
		case "mode":
			mode, ok := fsm.ParseMode(value)
			if !ok {
				d.Fatalf(t, "unknown mode: %s", value)
			}
			config.Machine.Mode = mode
		case "after-job":
			config.Machine.RetireAfterJob = true
		case "acquire":
			config.Machine.Mode, config.Machine.AcquireJob = fsm.Acquire, fsm.JobID(value)
		case "silence":
			config.SilenceLimit = duration(t, d, value)
		case "uptime":
			config.Uptime = duration(t, d, value)
		default:
			d.Fatalf(t, "unknown argument: %s", a.Key)
		}
	}
	return config
}

func duration(t *testing.T, d *datadriven.TestData, text string) time.Duration {
	t.Helper()
	value, err := time.ParseDuration(text)
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return value
}
