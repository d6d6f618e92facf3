package main

import (
	"fmt"
	"io"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/internal/machines"
)

// drawWorker draws the machine of a worker in a state, for the web page. The control plane
// itself knows no more of that machine than the name of its state.
func drawWorker(w io.Writer, state string) error {
	current, ok := fsm.ParseState(state)
	if !ok {
		return fmt.Errorf("unknown state %q of a worker", state)
	}
	return diagram.Write(w, diagram.SVG, diagram.Options{Highlight: current})
}

// drawJob draws the machine of a job in a state, for the web page.
func drawJob(w io.Writer, state string) error {
	chart := machines.Job()
	for _, s := range chart.States {
		if s.Name == state {
			chart.Current = state
			return chart.Write(w, diagram.SVG, diagram.Options{})
		}
	}
	return fmt.Errorf("unknown state %q of a job", state)
}
