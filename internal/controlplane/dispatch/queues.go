package dispatch

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// maxPausedQueues bounds the pauses that every replica keeps in memory. A queue need not
// have jobs or workers to be paused.
const maxPausedQueues = 1000

// QueuePage is one page of a list of queues: see JobPage. Total is known for every page.
type QueuePage struct {
	Queues []schedule.Queue
	Next   string
	Total  int
}

// Queues returns a page of the queues with jobs that have not ended, workers or a pause,
// by name. It reads memory only. ErrInvalid.
func (d *Dispatcher) Queues(p schedule.Page) (page QueuePage, err error) {
	d.records.view(func(x *schedule.Index) { page.Queues, page.Next, page.Total, err = x.Queues(p, d.now()) })
	return page, err //nolint:wrapcheck // it names the field
}

// Queue returns a queue that Queues lists. It reads memory only. ErrInvalid, ErrNotFound.
func (d *Dispatcher) Queue(name string) (queue schedule.Queue, err error) {
	if err := validateQueueName(name); err != nil {
		return queue, err
	}
	listed := false
	d.records.view(func(x *schedule.Index) { queue, listed = x.Queue(name, d.now()) })
	if !listed {
		return queue, fmt.Errorf("queue %s: %w", name, ErrNotFound)
	}
	return queue, nil
}

// PauseQueue keeps the jobs of a queue from being offered, and from being acquired, until
// ResumeQueue. Jobs that were offered before are not affected. by is the name of the
// caller's token. Other replicas follow as the store delivers the change to them.
// Idempotent: the time of the first pause stays, and a new reason replaces the old one.
// ErrInvalid.
func (d *Dispatcher) PauseQueue(ctx context.Context, name, reason, by string) (ControlledQueue, error) {
	if err := validateReason(reason, true); err != nil {
		return ControlledQueue{}, err
	}
	paused, already := 0, false
	d.records.view(func(x *schedule.Index) {
		paused = x.PausedQueues()
		_, already = x.QueuePause(name)
	})
	if paused >= maxPausedQueues && !already {
		return ControlledQueue{}, record.Invalid("name", "is of one paused queue too many: there are %d; resume some", paused)
	}
	return d.changePause(ctx, name, by, func(p record.QueuePause) (record.QueuePause, error) {
		if p.Paused && p.Reason == reason && p.By == by {
			return p, errUnchanged
		}
		if !p.Paused {
			p.At = d.now().UTC()
		}
		p.Paused, p.Reason, p.By = true, reason, by
		return p, nil
	})
}

// ControlledQueue is a queue after a request to pause or resume it. Unchanged is set if the
// request had no effect, since an earlier one had it.
type ControlledQueue struct {
	schedule.Queue

	Unchanged bool
}

// ResumeQueue ends the pause of a queue. Idempotent. ErrInvalid.
func (d *Dispatcher) ResumeQueue(ctx context.Context, name, by string) (ControlledQueue, error) {
	return d.changePause(ctx, name, by, func(p record.QueuePause) (record.QueuePause, error) {
		if !p.Paused {
			return p, errUnchanged
		}
		return record.QueuePause{Queue: p.Queue, Revision: p.Revision}, nil
	})
}

// changePause changes the stored pause of a queue and logs the change.
func (d *Dispatcher) changePause(
	ctx context.Context, name, by string, edit func(record.QueuePause) (record.QueuePause, error),
) (queue ControlledQueue, err error) {
	if err := validateQueueName(name); err != nil {
		return queue, err
	}
	read := func(ctx context.Context) (record.QueuePause, error) { return d.readQueuePause(ctx, name) }
	after, err := compareAndSet(ctx, stored[record.QueuePause]{"queue " + name, read, d.putQueuePause}, record.QueuePause{}, false, edit)
	if err != nil {
		return queue, err
	}
	if after.changed {
		message := "queue resumed"
		if after.record.Paused {
			message = "queue paused"
		}
		d.log.Info(message, zap.String("queue", name), zap.String("reason", after.record.Reason), zap.String("actor", by))
	}
	queue.Unchanged = !after.changed
	d.records.view(func(x *schedule.Index) { queue.Queue, _ = x.Queue(name, d.now()) })
	return queue, nil
}

// readQueuePause returns the stored pause of a queue, one that is not stored if there is
// none.
func (d *Dispatcher) readQueuePause(ctx context.Context, name string) (record.QueuePause, error) {
	p, err := d.records.st.QueuePause(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return record.QueuePause{Queue: name}, nil
	}
	return p, err //nolint:wrapcheck // the store's errors say what was attempted
}

// putQueuePause stores the pause of a queue, even if the caller's context ends.
func (d *Dispatcher) putQueuePause(ctx context.Context, p record.QueuePause) (record.QueuePause, error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	p, err := d.records.st.PutQueuePause(ctx, p)
	if err == nil {
		d.records.update(func(x *schedule.Index) { x.ApplyQueuePause(p) })
		d.records.wakeSubscribers()
	}
	return p, err //nolint:wrapcheck // the store's errors say what was attempted
}

// checkNotPaused returns ErrWrongState if a queue is paused, by its stored record.
func (d *Dispatcher) checkNotPaused(ctx context.Context, name string) error {
	p, err := d.readQueuePause(ctx, name)
	if err == nil && p.Paused {
		err = wrongState("queue %s is paused by %s: %s", name, p.By, p.Reason)
	}
	return err
}

// validateQueueName is ValidateQueue for the field of a request that names a queue.
func validateQueueName(name string) error {
	if invalid, ok := errors.AsType[*record.InvalidError](ValidateQueue(name)); ok {
		return record.Invalid("name", "%s", invalid.Problem)
	}
	return nil
}
