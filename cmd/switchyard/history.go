package main

import (
	"os"
	"os/signal"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
)

// historyOnSignal writes the last events of the workers to a new file at each
// SIGUSR1, and its path to standard error. The returned function ends that.
func (a *app) historyOnSignal(daemon *agent.Agent) func() {
	wanted := historySignals()
	if len(wanted) == 0 {
		return func() {}
	}
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, wanted...)
	go func() {
		defer close(done)
		for range signals {
			path, err := telemetry.SaveTransitions(readVersion().Version, daemon.History())
			if err != nil {
				a.notef("%v", err)
				continue
			}
			a.notef("the last events of the workers are in %s; look at them with `switchyard fsm replay`", path)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-done
	}
}
