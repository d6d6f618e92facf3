package demo

import (
	"context"
	"sync"

	"github.com/switchyard-ci/switchyard/fsm"
)

// records keeps the records of the worker, and waits for particular ones. It may
// be used concurrently, except that one goroutine at a time calls await.
type records struct {
	show func(fsm.Record)
	next int // the first record that await has not seen

	mu   sync.Mutex
	all  []fsm.Record
	more chan struct{} // closed when all has grown
}

func newRecords(show func(fsm.Record)) *records {
	return &records{show: show, more: make(chan struct{})}
}

// add is the agent's Config.Observe.
func (r *records) add(record fsm.Record) {
	r.show(record)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, record)
	close(r.more)
	r.more = make(chan struct{})
}

// await returns the next record that is wanted, after the one it returned last.
// The error is the context's cause.
func (r *records) await(ctx context.Context, wanted func(fsm.Record) bool) (fsm.Record, error) {
	for {
		r.mu.Lock()
		all, more := r.all, r.more
		r.mu.Unlock()
		for r.next < len(all) {
			r.next++
			if record := all[r.next-1]; wanted(record) {
				return record, nil
			}
		}
		select {
		case <-more:
		case <-ctx.Done():
			return fsm.Record{}, context.Cause(ctx)
		}
	}
}
