package verify

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// space is what was explored of one kind of worker.
type space struct {
	*explore.Space[packed, move]

	generator *generator
}

// exploreSubject visits every state of a world with one kind of worker. It returns an
// error if the context ends, or if there are too many states.
func exploreSubject(ctx context.Context, of subject, b Bounds, advance Advance, firstOnly bool) (*space, error) {
	g := &generator{bounds: b, situations: newSituations(of.config, advance), liar: of.liar}
	initial := fsm.Facts{Connection: nowConnection}
	var w world
	w.machine = g.situations.number(situate(fsm.Initial, &initial, nowConnection))
	s, err := explore.Explore(ctx, g, w.pack(), explore.Limits{FirstOnly: firstOnly})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", of.name(), err)
	}
	return &space{s, g}, nil
}
