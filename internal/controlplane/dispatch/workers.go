package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Register stores a new worker, connected, and returns it with its session token,
// which is not stored and cannot be returned again. The caller sets what the
// worker sent; Queue is taken from the tag queue=NAME, default wire.DefaultQueue. A
// worker with LastJob is assigned no jobs: it acquires one by its ID. ErrInvalid
// names a bad field.
func (d *Dispatcher) Register(ctx context.Context, worker record.Worker) (record.Worker, string, error) {
	var err error
	lastJob := worker.LastJob
	worker = describeMachine(worker)
	worker.Worker = workerstate.Worker{} // what becomes of it begins here
	if worker.Queue, err = QueueOf(worker); err != nil {
		return record.Worker{}, "", err
	}
	worker.ID = newID()
	var session string
	session, worker.TokenHash = token.Session.New(worker.ID)
	ev := workerstate.Event{Kind: workerstate.Registered, At: d.now().UTC(), LastJob: lastJob}
	if worker, err = workerAfter(worker, ev); err == nil {
		worker, err = d.records.putWorker(ctx, worker)
	}
	if err != nil {
		return record.Worker{}, "", fmt.Errorf("registering worker %s: %w", worker.Name, err)
	}
	d.records.logWorker(&record.Worker{}, &worker, ev)
	return worker, session, nil
}

// AuthenticateSession returns the session that a session token belongs to. It reads the
// store only for a worker that this replica does not know. ErrUnauthenticated, as a
// *record.RevokedError for a worker that was revoked.
func (d *Dispatcher) AuthenticateSession(ctx context.Context, presented string) (record.Session, error) {
	id, ok := token.Session.ID(presented)
	if !ok {
		return record.Session{}, ErrUnauthenticated
	}
	session, err := d.records.findSession(ctx, id)
	if err != nil {
		return record.Session{}, refused(err)
	}
	switch {
	case !session.TokenHash.Matches(presented):
		return record.Session{}, ErrUnauthenticated
	case session.Revoked:
		return record.Session{}, &record.RevokedError{Reason: session.StopReason}
	}
	return session, nil
}

// Connect records that a worker is there, and renews its lease. Idempotent.
// ErrNotFound; ErrWrongState if the worker disconnected.
func (d *Dispatcher) Connect(ctx context.Context, workerID string) error {
	return d.renew(ctx, workerID)
}

// Disconnect records that a worker left. The jobs that it did not start are
// requeued. Idempotent. ErrNotFound.
func (d *Dispatcher) Disconnect(ctx context.Context, workerID string) error {
	if _, err := d.records.changeWorker(ctx, workerID, workerstate.Event{Kind: workerstate.Disconnected}); err != nil {
		return err
	}
	d.sweeper.applyTo(ctx, workerID)
	return nil
}

// Heartbeat renews a worker's lease; a lost worker becomes connected again. It
// writes nothing otherwise. ErrNotFound; ErrWrongState if the worker disconnected.
func (d *Dispatcher) Heartbeat(ctx context.Context, workerID string) error {
	return d.renew(ctx, workerID)
}

// Report records what an agent reports of the machine of a worker, which the caller has
// authenticated. Only memory has it: after a restart it is not known until the next ping
// or heartbeat. The other replicas get it with their next signs of life.
func (d *Dispatcher) Report(workerID string, m wire.MachineState) {
	machine := schedule.MachineOf(m, d.now())
	d.records.view(func(x *schedule.Index) { x.ReportMachine(workerID, machine) })
	d.replicas.machineReported(workerID, machine)
}

// Hold records that an agent's process holds jobs, running or with an undelivered
// result, so that silence does not end them: see schedule.Index.HoldJob. The caller
// has authenticated a worker of the agent; the jobs may belong to its former
// workers. Jobs that do not run are ignored.
func (d *Dispatcher) Hold(jobIDs []string) {
	now := d.now()
	var held []string
	d.records.view(func(x *schedule.Index) {
		for _, id := range jobIDs {
			if x.HoldJob(id, now) {
				held = append(held, id)
			}
		}
	})
	for _, id := range held {
		d.replicas.jobHeld(id)
	}
}

// renew renews a worker's lease; a lost worker becomes connected again.
func (d *Dispatcher) renew(ctx context.Context, workerID string) error {
	if d.renewConnected(workerID) {
		return nil
	}
	_, err := d.records.changeWorker(ctx, workerID, workerstate.Event{Kind: workerstate.Seen})
	return err
}

// renewConnected renews the lease of a worker that is connected, as far as the
// index knows, and reports whether it is.
func (d *Dispatcher) renewConnected(workerID string) (ok bool) {
	// A worker that responds again may be offered a job.
	d.records.update(func(x *schedule.Index) { ok = x.RenewWorker(workerID, d.now()) })
	if ok {
		d.replicas.workerSeen(workerID)
	}
	return ok
}

// ControlledWorker is a worker after a request to pause, resume, stop or revoke it.
// Unchanged is set if the request had no effect, since an earlier one had it.
type ControlledWorker struct {
	schedule.Worker

	Unchanged bool
}

// Pause makes a worker take no work until Resume; a job that is assigned to it and
// not accepted is requeued. ref is the worker's ID, or a name that only one
// connected worker has. by is who asks: what an operator paused, nobody else
// resumes. Idempotent; a new reason replaces the old one. ErrNotFound; ErrInvalid
// for a bad reason or an ambiguous name; ErrWrongState if the worker has left.
func (d *Dispatcher) Pause(ctx context.Context, ref, reason string, by workerstate.PausedBy) (ControlledWorker, error) {
	return d.PauseFor(ctx, ref, reason, by, 0)
}

// PauseFor is Pause; the pause ends by itself after a time, if that is not zero. Like
// every term it is counted from when a replica sees it begin, so that it begins again
// where every replica is restarted.
func (d *Dispatcher) PauseFor(
	ctx context.Context, ref, reason string, by workerstate.PausedBy, lasts time.Duration,
) (ControlledWorker, error) {
	if err := validateReason(reason, true); err != nil {
		return ControlledWorker{}, err
	}
	return d.control(ctx, ref, workerstate.Event{Kind: workerstate.PauseRequested, Reason: reason, By: by, PauseFor: lasts})
}

// Resume lets a paused worker take work again. Idempotent. Errors as for Pause;
// ErrWrongState also if an operator paused the worker and another asks.
func (d *Dispatcher) Resume(ctx context.Context, ref string, by workerstate.PausedBy) (ControlledWorker, error) {
	return d.control(ctx, ref, workerstate.Event{Kind: workerstate.ResumeRequested, By: by})
}

// Stopping is how a worker is to stop.
type Stopping struct {
	// Force cancels its running job, and requeues one that it did not start.
	Force bool
	// NoRetry keeps the canceled job from being retried.
	NoRetry bool
	// Reason is for people.
	Reason string
}

// Stop makes a worker drain: finish its job and leave. With Force its job is
// canceled, and retried if retries were asked for. Idempotent; Force can be added
// later. Errors as for Pause; ErrInvalid for NoRetry without Force.
func (d *Dispatcher) Stop(ctx context.Context, ref string, how Stopping) (ControlledWorker, error) {
	if err := validateReason(how.Reason, false); err != nil {
		return ControlledWorker{}, err
	}
	if how.NoRetry && !how.Force {
		return ControlledWorker{}, record.Invalid("no_retry", "needs force: without it no job is canceled")
	}
	ev := workerstate.Event{Kind: workerstate.DrainRequested, Reason: how.Reason, NoRetry: how.NoRetry}
	if how.Force {
		ev.Kind = workerstate.StopRequested
	}
	return d.control(ctx, ref, ev)
}

// control applies a request to a worker, and the rules to its jobs.
func (d *Dispatcher) control(ctx context.Context, ref string, ev workerstate.Event) (c ControlledWorker, err error) {
	var id string
	d.records.view(func(x *schedule.Index) { id, err = x.FindWorker(ref) })
	if err != nil {
		return c, err //nolint:wrapcheck // it names the worker
	}
	worker, err := d.records.changeWorker(ctx, id, ev)
	if err != nil {
		return c, err
	}
	d.sweeper.applyTo(ctx, id)
	var v schedule.Worker
	d.records.view(func(x *schedule.Index) { v = x.View(worker.record) })
	return ControlledWorker{v, !worker.changed}, nil
}

// Worker returns a worker with what is known of it now. ref is as for Pause. It reads the
// store only for a worker that this replica does not know. ErrNotFound; ErrInvalid for an
// ambiguous name.
func (d *Dispatcher) Worker(ctx context.Context, ref string) (v schedule.Worker, err error) {
	var id string
	d.records.view(func(x *schedule.Index) { id, err = x.FindWorker(ref) })
	if err != nil {
		return v, err //nolint:wrapcheck // it names the worker
	}
	worker, err := d.records.findWorker(ctx, id)
	if err != nil {
		return v, err
	}
	d.records.view(func(x *schedule.Index) {
		v = x.View(worker)
		v.MachineChanges = x.MachineChanges(worker.ID)
	})
	return v, nil
}

// Workers returns a page of workers. It reads memory only. ErrInvalid.
func (d *Dispatcher) Workers(_ context.Context, f schedule.WorkerFilter, p schedule.Page) (page schedule.WorkerPage, err error) {
	d.records.view(func(x *schedule.Index) { page, err = x.Workers(f, p) })
	return page, err //nolint:wrapcheck // it names the field
}
