package job

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/process"
)

// Stop is the moment at which an agent begins to stop, even if it lets its jobs finish.
// Its methods may be called concurrently, and Has on nil, which never begins.
type Stop struct {
	once  sync.Once
	begun chan struct{}
	at    time.Time // set before begun is closed
}

// NewStop returns a stop that has not begun.
func NewStop() *Stop { return &Stop{begun: make(chan struct{})} }

// Begin begins the stop. Only the first call counts.
func (s *Stop) Begin() {
	s.once.Do(func() {
		s.at = time.Now()
		close(s.begun)
	})
}

// Has waits for the stop, at most for notice, and returns how long ago it began. It
// reports false if it has not begun.
func (s *Stop) Has(notice time.Duration) (ago time.Duration, begun bool) {
	if s == nil {
		return 0, false
	}
	select {
	case <-s.begun:
		return time.Since(s.at), true
	default:
	}
	timer := time.NewTimer(notice)
	defer timer.Stop()
	select {
	case <-s.begun:
		return time.Since(s.at), true
	case <-timer.C:
		return 0, false
	}
}

const (
	// stopNotice is how long a signal to the agent may take to be noticed after the same
	// signal has ended a job.
	stopNotice = 200 * time.Millisecond
	// handlerTime is how long a job's own handler of a signal may take until it exits with
	// a status that says nothing of the signal.
	handlerTime = 10 * time.Second
)

// stopSignals are the signals that ask programs to stop. With them a service manager
// signals all processes of a service, and a shell all of a process group. SIGKILL is not
// one: to kill a whole group kills the agent, too, so that a job whose agent can report it
// was killed alone, by the kernel for its memory or by a person.
//
//nolint:gochecknoglobals // a table, never written
var stopSignals = []string{"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"}

// endedWithAgent reports whether a command that the agent has not canceled was ended by
// a signal that was meant for the agent, too, because the agent stops:
//
//   - such a signal has ended it;
//   - its exit status is 128 and the number of such a signal, by which shells and many
//     programs report the signal that made them exit;
//   - it has failed in another way within handlerTime of the agent's signal, and has a
//     handler for SIGTERM, which may have made it exit. Shells show theirs to the end.
//
// A command that has succeeded has done its work, whatever it received.
func endedWithAgent(exit process.Exit, handles bool, stop *Stop) bool {
	signal := exit.Signal
	if signal == "" && exit.Code > process.ExitSignal {
		signal = process.SignalName(syscall.Signal(exit.Code - process.ExitSignal))
	}
	if slices.Contains(stopSignals, signal) {
		_, begun := stop.Has(stopNotice)
		return begun
	}
	if exit.Signal != "" || exit.Code == 0 || !handles {
		return false
	}
	ago, begun := stop.Has(0)
	return begun && ago < handlerTime
}
