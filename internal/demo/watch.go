package demo

import (
	"context"
	"fmt"
	"sync"

	"github.com/switchyard-ci/switchyard/fsm"
)

// watch keeps every transition of the worker, and lets the story wait for one.
type watch struct {
	tell func(fsm.Record)

	mu   sync.Mutex
	seen []fsm.Record
	more chan struct{} // closed when seen has grown
}

func newWatch(tell func(fsm.Record)) *watch {
	return &watch{tell: tell, more: make(chan struct{})}
}

// observe is told of every transition, by the worker.
func (w *watch) observe(t fsm.Record) {
	w.tell(t)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, t)
	close(w.more)
	w.more = make(chan struct{})
}

// await returns the first transition at or after position from that is wanted,
// and the position behind it.
func (w *watch) await(
	ctx context.Context, from int, what string, wanted func(fsm.Record) bool,
) (fsm.Record, int, error) {
	for {
		w.mu.Lock()
		seen, more := w.seen, w.more
		w.mu.Unlock()
		for ; from < len(seen); from++ {
			if wanted(seen[from]) {
				return seen[from], from + 1, nil
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fsm.Record{}, from, fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		}
	}
}
