package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Register stores a new worker, connected, and answers with its session token,
// which is not stored and cannot be had again. ErrInvalid names a bad field.
func (d *Dispatcher) Register(ctx context.Context, r Registration) (store.Worker, string, error) {
	queue, err := r.queue()
	if err != nil {
		return store.Worker{}, "", err
	}
	id := newID()
	session, hash := token.Session.New(id)
	worker, err := d.putWorker(ctx, store.Worker{
		ID: id, Name: r.Name, Hostname: r.Hostname, OS: r.OS, Arch: r.Arch,
		Version: r.Version, Build: r.Build, MachineID: r.MachineID, PID: r.PID,
		Features: r.Features, Queue: queue, Tags: r.Tags, Priority: r.Priority,
		IgnoreInDispatches: r.IgnoreInDispatches, TokenHash: hash,
		State: store.WorkerConnected, RegisteredAt: d.now().UTC(),
	})
	if err != nil {
		return store.Worker{}, "", fmt.Errorf("registering worker %s: %w", r.Name, err)
	}
	d.log.Info("worker registered", zap.String("worker", id), zap.String("name", r.Name), zap.String("queue", queue))
	return worker, session, nil
}

// queue is the queue that the tags name, once everything was checked.
func (r Registration) queue() (string, error) {
	if r.Name == "" || len(r.Name) > maxName {
		return "", &InvalidError{"name", fmt.Sprintf("must have 1 to %d bytes", maxName)}
	}
	queue, named := DefaultQueue, false
	for _, tag := range r.Tags {
		name, ok := strings.CutPrefix(tag, "queue=")
		if !ok {
			continue
		}
		if named {
			return "", &InvalidError{"meta_data", "names more than one queue"}
		}
		queue, named = name, true
	}
	if err := checkQueue(queue); err != nil {
		return "", err
	}
	return queue, nil
}

// AuthenticateSession answers with the worker that a session token belongs to.
// It reads memory, and the store only for a worker that this replica has not
// heard of yet. ErrUnauthenticated.
func (d *Dispatcher) AuthenticateSession(ctx context.Context, session string) (string, error) {
	id, ok := token.Session.ID(session)
	if !ok {
		return "", ErrUnauthenticated
	}
	worker, known := d.worker(id)
	if !known {
		var err error
		if worker, err = d.readWorker(ctx, id); err != nil {
			return "", refused(err)
		}
	}
	if !worker.TokenHash.Matches(session) {
		return "", ErrUnauthenticated
	}
	return id, nil
}

// Connect makes a worker connected, whatever it was. Idempotent. ErrNotFound.
func (d *Dispatcher) Connect(ctx context.Context, workerID string) error {
	if d.hear(workerID) {
		return nil
	}
	_, err := d.changeWorker(ctx, workerID, func(a *store.Worker) error {
		if a.State == store.WorkerConnected {
			return errKeep
		}
		return reconnect(a)
	})
	return err
}

func reconnect(a *store.Worker) error {
	a.State, a.LeftAt = store.WorkerConnected, time.Time{}
	return nil
}

// Disconnect records that a worker left by itself. What it had not started goes
// back to the queue. Idempotent. ErrNotFound.
func (d *Dispatcher) Disconnect(ctx context.Context, workerID string) error {
	worker, err := d.changeWorker(ctx, workerID, func(a *store.Worker) error {
		if a.State == store.WorkerDisconnected {
			return errKeep
		}
		a.State, a.LeftAt = store.WorkerDisconnected, d.now().UTC()
		return nil
	})
	if err != nil {
		return err
	}
	d.log.Info("worker disconnected", zap.String("worker", workerID), zap.String("name", worker.Name))
	d.settleWorker(ctx, workerID)
	return nil
}

// Heartbeat renews a worker's lease; a lost worker is connected again. It writes
// nothing otherwise. ErrNotFound, and ErrWrongState for one that disconnected.
func (d *Dispatcher) Heartbeat(ctx context.Context, workerID string) error {
	return d.present(ctx, workerID)
}

// present notes that a worker was heard, and makes a lost one connected again.
func (d *Dispatcher) present(ctx context.Context, workerID string) error {
	if d.hear(workerID) {
		return nil
	}
	_, err := d.changeWorker(ctx, workerID, func(a *store.Worker) error {
		switch a.State {
		case store.WorkerDisconnected:
			return wrongState("worker %s has disconnected", workerID)
		case store.WorkerLost:
			return reconnect(a)
		case store.WorkerConnected:
		}
		return errKeep
	})
	return err
}

// hear renews the lease of a worker that is connected as far as the index knows,
// and reports whether it is.
func (d *Dispatcher) hear(workerID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.x.workers[workerID]
	if a == nil || a.record.State != store.WorkerConnected {
		return false
	}
	a.seen = d.now()
	d.toSignal.worker(workerID)
	return true
}

// Ping answers a worker's ping: Disconnect if it is to leave, Pause, the job on
// offer to it or accepted and not started, the best job of its queue (assigned
// by this call), or Resume, which is the idle answer. A worker whose running job
// is not over is answered Resume. ErrNotFound, and ErrWrongState for one that
// disconnected.
func (d *Dispatcher) Ping(ctx context.Context, workerID string) (wire.Instruction, error) {
	if err := d.present(ctx, workerID); err != nil {
		return wire.Instruction{}, err
	}
	for range maxConflicts {
		in, c, claimed := d.answer(workerID)
		switch {
		case claimed != nil: // a job is just being written down for it
			select {
			case <-claimed:
			case <-ctx.Done():
				return wire.Instruction{}, fmt.Errorf("answering a ping: %w", context.Cause(ctx))
			}
		case c != nil:
			if err := d.assign(ctx, c); err != nil {
				return wire.Instruction{}, fmt.Errorf("answering a ping: %w", err)
			}
		default:
			return in, nil
		}
	}
	return wire.Instruction{Kind: wire.Resume}, nil // others were faster each time; there is a next ping
}

// answer is the answer to a ping as things stand, or a claim that makes one, or
// the end of a claim to wait for.
func (d *Dispatcher) answer(workerID string) (in wire.Instruction, c *claim, claimed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.x.workers[workerID]
	if a == nil {
		return wire.Instruction{Kind: wire.Resume}, nil, nil // it expired just now; the next ping says so
	}
	if in := standing(a.record); in.Kind != wire.Resume {
		return in, nil, nil
	}
	if offers := a.offers(); len(offers) > 0 {
		return wire.Instruction{Kind: wire.JobAssigned, JobID: offers[0]}, nil, nil
	}
	for _, j := range a.jobs {
		j.absent(d.now()) // it runs, by the record; a worker sends no ping beside a job
	}
	if a.claim != nil {
		return wire.Instruction{}, nil, a.claim.done
	}
	if d.closed {
		return wire.Instruction{Kind: wire.Resume}, nil, nil
	}
	return wire.Instruction{Kind: wire.Resume}, d.x.claimReady(a), nil
}

// Attach opens a worker's stream. The feed's first instruction is ready at once:
// the standing Resume, Pause or Disconnect, and then the offers. An older feed of
// the same worker ends with ErrSuperseded. The caller must Close the feed. A lost
// worker is connected again. ErrNotFound, ErrWrongState for one that
// disconnected, and ErrClosed.
func (d *Dispatcher) Attach(ctx context.Context, workerID string) (*Feed, error) {
	if err := d.present(ctx, workerID); err != nil {
		return nil, err
	}
	var feed *Feed
	err := fmt.Errorf("worker %s: %w", workerID, ErrNotFound)
	d.change(func(x *index) {
		a := x.workers[workerID]
		if d.closed {
			err = ErrClosed
		}
		if a == nil || d.closed {
			return
		}
		if a.feed != nil {
			a.feed.end(ErrSuperseded)
		}
		feed, err = newFeed(standing(a.record), a.offers(), func(f *Feed) { d.detach(workerID, f) }), nil
		d.feeds++
		feed.number = d.feeds
		a.feed, a.remote = feed, ""
		x.setIdle(a)
	})
	if err != nil {
		return nil, err
	}
	d.send(signal{Attached: workerID, Feed: feed.number})
	return feed, nil
}

// detach forgets a feed, unless a newer one has taken its place.
func (d *Dispatcher) detach(workerID string, f *Feed) {
	detached := false
	d.change(func(x *index) {
		a := x.workers[workerID]
		if a != nil && a.feed == f {
			a.feed = nil
			x.setIdle(a)
			detached = true
		}
	})
	if detached {
		d.send(signal{Detached: workerID})
	}
}
