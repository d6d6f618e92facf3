package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

// A step is what one more signal does to a daemon.
type step struct {
	do  func()
	say string
}

// leaving are the steps by which an agent leaves.
func leaving(daemon *agent.Agent) []step {
	return []step{
		{
			say: "draining: taking no more work, and leaving when what runs is finished; again to cancel what runs",
			do:  daemon.Drain,
		},
		{
			say: "canceling what runs, and leaving; again to exit at once",
			do:  daemon.Force,
		},
	}
}

// untilLeft does the work of a daemon and returns what it returns. Each SIGINT or
// SIGTERM takes the next of the steps; when there is none left, untilLeft returns
// at once, with the exit code of the signal, and leaves the work to end with the
// process.
func (a *app) untilLeft(steps []step, work func() error) error {
	signals := make(chan os.Signal, len(steps)+1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	for {
		select {
		case err := <-ended:
			return err
		case received := <-signals:
			if len(steps) == 0 {
				a.notef("exiting at once")
				number, _ := received.(syscall.Signal)
				return exitOf(exitSignal + int(number))
			}
			a.notef("%s", steps[0].say)
			steps[0].do()
			steps = steps[1:]
		}
	}
}
