package dispatch

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// Register stores a new worker, connected, and returns it with its session token,
// which is not stored and cannot be returned again. The caller sets what the
// worker sent; Queue is taken from the tag queue=NAME, default wire.DefaultQueue.
// ErrInvalid names a bad field.
func (d *Dispatcher) Register(ctx context.Context, worker store.Worker) (store.Worker, string, error) {
	var err error
	if worker.Queue, err = validateWorker(worker); err != nil {
		return store.Worker{}, "", err
	}
	worker.ID = newID()
	var session string
	session, worker.TokenHash = token.Session.New(worker.ID)
	worker.State, worker.RegisteredAt = store.WorkerConnected, d.now().UTC()
	if worker, err = d.records.putWorker(ctx, worker); err != nil {
		return store.Worker{}, "", fmt.Errorf("registering worker %s: %w", worker.Name, err)
	}
	d.logWorker("worker registered", worker)
	return worker, session, nil
}

func (d *Dispatcher) logWorker(message string, w store.Worker) {
	d.log.Info(message, zap.String("worker_id", w.ID), zap.String("worker_name", w.Name), zap.String("queue", w.Queue))
}

// AuthenticateSession returns the ID of the worker that a session token belongs
// to. It reads the store only for a worker that this replica does not know.
// ErrUnauthenticated.
func (d *Dispatcher) AuthenticateSession(ctx context.Context, session string) (string, error) {
	id, ok := token.Session.ID(session)
	if !ok {
		return "", ErrUnauthenticated
	}
	worker, err := d.records.findWorker(ctx, id)
	if err != nil {
		return "", refused(err)
	}
	if !worker.TokenHash.Matches(session) {
		return "", ErrUnauthenticated
	}
	return id, nil
}

// Connect makes a worker connected, in any state. Idempotent. ErrNotFound.
func (d *Dispatcher) Connect(ctx context.Context, workerID string) error {
	if d.renewConnected(workerID) {
		return nil
	}
	_, err := d.records.changeWorker(ctx, workerID, connected)
	return err
}

// connected makes a worker connected.
func connected(w *store.Worker) error {
	if w.State == store.WorkerConnected {
		return errUnchanged
	}
	w.State, w.LeftAt = store.WorkerConnected, time.Time{}
	return nil
}

// Disconnect records that a worker left. The jobs that it did not start are
// requeued. Idempotent. ErrNotFound.
func (d *Dispatcher) Disconnect(ctx context.Context, workerID string) error {
	worker, err := d.records.changeWorker(ctx, workerID, func(w *store.Worker) error {
		if w.State == store.WorkerDisconnected {
			return errUnchanged
		}
		w.State, w.LeftAt = store.WorkerDisconnected, d.now().UTC()
		return nil
	})
	if err != nil {
		return err
	}
	d.logWorker("worker disconnected", worker)
	d.sweeper.applyTo(ctx, workerID)
	return nil
}

// Heartbeat renews a worker's lease; a lost worker becomes connected again. It
// writes nothing otherwise. ErrNotFound; ErrWrongState if the worker disconnected.
func (d *Dispatcher) Heartbeat(ctx context.Context, workerID string) error {
	return d.renew(ctx, workerID)
}

// renew renews a worker's lease; a lost worker becomes connected again.
func (d *Dispatcher) renew(ctx context.Context, workerID string) error {
	if d.renewConnected(workerID) {
		return nil
	}
	_, err := d.records.changeWorker(ctx, workerID, func(w *store.Worker) error {
		if w.State == store.WorkerDisconnected {
			return wrongState("worker %s has disconnected", workerID)
		}
		return connected(w)
	})
	return err
}

// renewConnected renews the lease of a worker that is connected, as far as the
// index knows, and reports whether it is.
func (d *Dispatcher) renewConnected(workerID string) (ok bool) {
	d.records.view(func(x *schedule.Index) { ok = x.RenewWorker(workerID, d.now()) })
	if ok {
		d.replicas.workerSeen(workerID)
	}
	return ok
}

// Pause makes a worker take no work until Resume; a job that is assigned to it and
// not accepted is requeued. ref is the worker's ID, or a name that only one
// connected worker has. Idempotent; a new reason replaces the old one.
// ErrNotFound; ErrInvalid for a bad reason or an ambiguous name; ErrWrongState if
// the worker has left.
func (d *Dispatcher) Pause(ctx context.Context, ref, reason string) (schedule.Worker, error) {
	if err := validateReason(reason, true); err != nil {
		return schedule.Worker{}, err
	}
	return d.control(ctx, ref, "worker paused", func(w *store.Worker) error {
		if w.Paused && w.PauseReason == reason {
			return errUnchanged
		}
		w.Paused, w.PauseReason = true, reason
		return nil
	})
}

// Resume lets a paused worker take work again. Idempotent. Errors as for Pause.
func (d *Dispatcher) Resume(ctx context.Context, ref string) (schedule.Worker, error) {
	return d.control(ctx, ref, "worker resumed", func(w *store.Worker) error {
		if !w.Paused {
			return errUnchanged
		}
		w.Paused, w.PauseReason = false, ""
		return nil
	})
}

// Stop makes a worker drain: finish its job and leave. With force its running job
// is canceled, and one that it did not start is requeued. Idempotent; force can be
// added later. Errors as for Pause.
func (d *Dispatcher) Stop(ctx context.Context, ref string, force bool, reason string) (schedule.Worker, error) {
	if err := validateReason(reason, false); err != nil {
		return schedule.Worker{}, err
	}
	return d.control(ctx, ref, "worker draining", func(w *store.Worker) error {
		if w.Stopping && (w.StopForce || !force) {
			return errUnchanged
		}
		w.Stopping, w.StopForce, w.StopReason = true, w.StopForce || force, reason
		return nil
	})
}

// control changes a worker for an operator and applies the rules to its jobs.
func (d *Dispatcher) control(ctx context.Context, ref, done string, edit func(*store.Worker) error) (v schedule.Worker, err error) {
	var id string
	d.records.view(func(x *schedule.Index) { id, err = x.FindWorker(ref) })
	if err != nil {
		return v, err //nolint:wrapcheck // it names the worker
	}
	worker, err := d.records.changeWorker(ctx, id, func(w *store.Worker) error {
		if w.State == store.WorkerDisconnected {
			return wrongState("worker %s has left", ref)
		}
		return edit(w)
	})
	if err != nil {
		return v, err
	}
	d.logWorker(done, worker)
	d.sweeper.applyTo(ctx, id)
	d.records.view(func(x *schedule.Index) { v = x.View(worker) })
	return v, nil
}

// Workers returns a page of workers, newest first, and the token of the next page,
// which is empty if this is the last one. It reads memory only. ErrInvalid.
func (d *Dispatcher) Workers(_ context.Context, f schedule.WorkerFilter, p schedule.Page) (
	workers []schedule.Worker, next string, err error,
) {
	d.records.view(func(x *schedule.Index) { workers, next, err = x.Workers(f, p) })
	return workers, next, err //nolint:wrapcheck // it names the field
}
