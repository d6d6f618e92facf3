package dispatch

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// worker returns the indexed record of a worker.
func (r *records) worker(id string) (worker record.Worker, ok bool) {
	r.view(func(x *schedule.Index) { worker, ok = x.Worker(id) })
	return worker, ok
}

// findWorker returns the indexed record of a worker, and the stored one of a worker
// that is not indexed.
func (r *records) findWorker(ctx context.Context, id string) (record.Worker, error) {
	if worker, ok := r.worker(id); ok {
		return worker, nil
	}
	return r.readWorker(ctx, id)
}

// findSession returns the session of a worker, as findWorker does.
func (r *records) findSession(ctx context.Context, id string) (session record.Session, err error) {
	known := false
	r.view(func(x *schedule.Index) { session, known = x.Session(id) })
	if known {
		return session, nil
	}
	worker, err := r.readWorker(ctx, id)
	return worker.Session(), err
}

func (r *records) readWorker(ctx context.Context, id string) (record.Worker, error) {
	worker, err := readKnown(ctx, r.state, reading[record.Worker]{
		what: "worker " + id, read: func(ctx context.Context) (record.Worker, error) { return r.state.Worker(ctx, id) },
		revision: func(worker record.Worker) uint64 { return worker.Revision },
		known:    func() (known uint64) { r.view(func(x *schedule.Index) { known = x.WorkerRevision(id) }); return known },
	})
	if err == nil {
		r.update(func(x *schedule.Index) { x.ApplyWorker(worker, r.now()) })
	}
	return worker, err
}

// putWorker stores a worker, even if the caller's context ends.
func (r *records) putWorker(ctx context.Context, worker record.Worker) (record.Worker, error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	worker, err := r.state.PutWorker(ctx, worker)
	if err == nil {
		r.update(func(x *schedule.Index) { x.ApplyWorker(worker, r.now()) })
	}
	return worker, err //nolint:wrapcheck // the store's errors say what was attempted
}
