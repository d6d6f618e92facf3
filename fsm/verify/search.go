package verify

import (
	"context"
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// space is what was explored of one kind of world.
type space struct {
	*explore.Space[packed, move]

	generator *generator
}

// exploreSubject visits every state of a world. It returns an error if the context
// ends, or if there are too many states.
func exploreSubject(ctx context.Context, of subject, o *Options, firstOnly bool) (*space, error) {
	g := &generator{
		bounds: o.Bounds, may: of.may, liar: of.liar,
		situations: newSituations(of.config, o.Advance), jobs: newJobRecords(o.Jobs), workers: newWorkerRecords(o.NextWorker),
	}
	if of.alone {
		g.bounds.Jobs = 1
	}
	if symmetric(of.config) {
		g.renamings = renamings(g.bounds.Jobs)
	}
	w := world{machine: g.situations.number(situationInitial()), worker: g.workers.registered(g.acquired() != 0)}
	for job := range w.jobs {
		w.jobs[job] = g.jobs.queued
	}
	s, err := explore.Explore(ctx, g, w.pack(), explore.Limits{FirstOnly: firstOnly, States: o.limit})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", of.name(), err)
	case g.tooMany():
		return nil, fmt.Errorf("%s: %w", of.name(), explore.ErrTooMany)
	}
	return &space{s, g}, nil
}

// tooMany reports whether there are more records or situations than a packed world has
// numbers for.
func (x *generator) tooMany() bool {
	return x.jobs.numbered.full || len(x.workers.numbered.all) > 1<<workerBits || len(x.situations.all) > 1<<machineBits
}
