package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

// A step is what one more signal does to a daemon.
type step struct {
	say string
	do  func(syscall.Signal)
}

// leaving are the steps by which a daemon with an agent leaves. stop, if it is
// not nil, ends what runs beside the agent; the second signal calls it.
func (a *app) leaving(daemon *agent.Agent, stop func()) []step {
	return []step{
		{
			say: "draining: taking no more work, and leaving when what runs is finished; again to cancel what runs",
			do:  func(syscall.Signal) { daemon.Drain() },
		},
		{
			say: "canceling what runs, and leaving; again to exit at once",
			do: func(syscall.Signal) {
				daemon.Force()
				if stop != nil {
					stop()
				}
			},
		},
		exitAtOnce(),
	}
}

// exitAtOnce is the last step of every daemon.
func exitAtOnce() step {
	return step{
		say: "exiting at once",
		do:  func(received syscall.Signal) { os.Exit(exitSignal + int(received)) },
	}
}

// onSignals takes one step at each SIGINT or SIGTERM, until the function that it
// returns is called.
func (a *app) onSignals(steps []step) (stop func()) {
	signals := make(chan os.Signal, len(steps))
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for _, next := range steps {
			select {
			case received := <-signals:
				a.note("%s", next.say)
				number, _ := received.(syscall.Signal)
				next.do(number)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-finished
	}
}
