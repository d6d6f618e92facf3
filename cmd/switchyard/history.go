package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
)

// historyOnSignal writes, whenever it is asked by a signal, what the workers did
// last to a file of its own, and says where: for the bad night in which nobody
// had thought of --transition-log. The function it returns ends that.
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
			path, err := writeHistory(daemon.History())
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

// writeHistory writes records as a log, and returns the path of the file.
func writeHistory(records []fsm.Record) (path string, err error) {
	file, err := os.CreateTemp("", "switchyard-transitions-*.jsonl")
	if err != nil {
		return "", fmt.Errorf("writing the last events: %w", err)
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			err = fmt.Errorf("writing the last events: %w", err)
		}
	}()
	out := bufio.NewWriter(file)
	line := fsm.NewLogHeader(readVersion().Version).Encode(nil)
	begun := map[string]bool{}
	for i := range records {
		r := &records[i]
		line = r.Encode(line, !begun[r.Worker])
		begun[r.Worker] = true
		if _, err := out.Write(line); err != nil {
			return "", err
		}
		line = line[:0]
	}
	if _, err := out.Write(line); err != nil { // there was no record
		return "", err
	}
	return file.Name(), out.Flush()
}
