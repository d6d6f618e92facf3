package dispatch

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// assign writes the assignment that a claim holds, and ends the claim. The job's
// record is read first: the index keeps no record of queued jobs. It does not
// depend on the caller, whose going away must not leave the claim in doubt.
func (d *Dispatcher) assign(ctx context.Context, c *claim) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	job, err := d.readJob(ctx, c.job.id)
	if err == nil && job.State == wire.StateQueued {
		job.State = wire.StateAssigned
		d.name(&job, c)
		job, err = d.putJob(ctx, job)
		if errors.Is(err, store.ErrConflict) {
			_, err = d.readJob(ctx, c.job.id)
		}
	}
	d.settleClaim(ctx, c, err)
	return err
}

// name writes the worker of a claim into an assignment.
func (d *Dispatcher) name(job *store.Job, c *claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	job.WorkerID, job.WorkerName = c.worker.record.ID, c.worker.record.Name
	job.AssignedAt = d.now().UTC()
}

// settleClaim ends a claim whose write has come to an end, if it is known to
// which, and looks at the worker again: it may have been paused meanwhile.
func (d *Dispatcher) settleClaim(ctx context.Context, c *claim, err error) {
	var workerID string
	d.change(func(x *index) {
		workerID = c.worker.record.ID
		switch {
		case errors.Is(err, ErrNotFound):
			x.vanish(c.job.id)
		case err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrTooLarge):
			d.held = append(d.held, c)
			return
		}
		x.release(c)
	})
	if err != nil {
		d.log.Warn("assigning a job", zap.String("worker", workerID), zap.Error(err))
		return
	}
	d.settleWorker(ctx, workerID)
}

// vanish drops a live job whose record is gone: somebody removed it by hand.
func (x *index) vanish(id string) {
	j := x.jobs[id]
	if j == nil {
		return
	}
	x.unplace(j)
	j.state = wire.StateLost
	delete(x.jobs, id)
	x.past.drop(id)
	j.queue.live--
	x.tidy(j.queue)
}
