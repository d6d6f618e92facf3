package verify

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// space is what was explored of one setting.
type space struct {
	*explore.Space[world, move]

	generator *generator
}

// maxStates bounds the number of states, and the memory for large bounds.
const maxStates = 1 << 26

// exploreSetting visits every state of a setting. It returns an error if the context
// ends, or if there are too many states.
func exploreSetting(ctx context.Context, s setting, o *Options) (*space, error) {
	g := &generator{bounds: o.Bounds, setting: s, machine: newMachine(o.Table)}
	var w world
	for job := range w.jobs {
		r := record{retries: uint8(jobCount - 1 - job)}
		w.jobs[job] = g.machine.number(&r)
	}
	sp, err := explore.Explore(ctx, g, w, explore.Limits{States: maxStates, FirstOnly: o.FirstOnly})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", s.name, err)
	case len(g.machine.records) > maxRecords:
		return nil, fmt.Errorf("%s: %w", s.name, explore.ErrTooMany)
	}
	return &space{sp, g}, nil
}

// defaultTable returns the table of package lifecycle.
func defaultTable() *lifecycle.Table {
	return lifecycle.NewTable(lifecycle.Rows(), lifecycle.IgnoredPairs())
}
