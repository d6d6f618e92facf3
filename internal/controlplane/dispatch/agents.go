package dispatch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Register stores a new worker, connected, and answers with its session token,
// which is not stored and cannot be had again. ErrInvalid names a bad field.
func (d *Dispatcher) Register(ctx context.Context, r Registration) (store.Agent, string, error) {
	queue, err := r.queue()
	if err != nil {
		return store.Agent{}, "", err
	}
	id := newID()
	token, hash := newToken(sessionPrefix, id)
	agent, err := d.putAgent(ctx, store.Agent{
		ID: id, Name: r.Name, Hostname: r.Hostname, OS: r.OS, Arch: r.Arch,
		Version: r.Version, Build: r.Build, MachineID: r.MachineID, PID: r.PID,
		Features: r.Features, Queue: queue, Tags: r.Tags, Priority: r.Priority,
		IgnoreInDispatches: r.IgnoreInDispatches, TokenHash: hash,
		State: store.AgentConnected, RegisteredAt: d.now().UTC(),
	})
	if err != nil {
		return store.Agent{}, "", fmt.Errorf("registering worker %s: %w", r.Name, err)
	}
	d.log.Info("worker registered", zap.String("agent", id), zap.String("name", r.Name), zap.String("queue", queue))
	return agent, token, nil
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
func (d *Dispatcher) AuthenticateSession(ctx context.Context, token string) (string, error) {
	id, ok := tokenID(sessionPrefix, token)
	if !ok {
		return "", ErrUnauthenticated
	}
	agent, known := d.agent(id)
	if !known {
		var err error
		if agent, err = d.readAgent(ctx, id); err != nil {
			return "", refused(err)
		}
	}
	if !tokenMatches(token, agent.TokenHash) {
		return "", ErrUnauthenticated
	}
	return id, nil
}

// Connect makes a worker connected, whatever it was. Idempotent. ErrNotFound.
func (d *Dispatcher) Connect(ctx context.Context, agentID string) error {
	if d.hear(agentID) {
		return nil
	}
	_, err := d.changeAgent(ctx, agentID, func(a *store.Agent) error {
		if a.State == store.AgentConnected {
			return errKeep
		}
		return reconnect(a)
	})
	return err
}

func reconnect(a *store.Agent) error {
	a.State, a.LeftAt = store.AgentConnected, time.Time{}
	return nil
}

// Disconnect records that a worker left by itself. What it had not started goes
// back to the queue. Idempotent. ErrNotFound.
func (d *Dispatcher) Disconnect(ctx context.Context, agentID string) error {
	agent, err := d.changeAgent(ctx, agentID, func(a *store.Agent) error {
		if a.State == store.AgentDisconnected {
			return errKeep
		}
		a.State, a.LeftAt = store.AgentDisconnected, d.now().UTC()
		return nil
	})
	if err != nil {
		return err
	}
	d.log.Info("worker disconnected", zap.String("agent", agentID), zap.String("name", agent.Name))
	d.settleAgent(ctx, agentID)
	return nil
}

// Heartbeat renews a worker's lease; a lost worker is connected again. It writes
// nothing otherwise. ErrNotFound, and ErrWrongState for one that disconnected.
func (d *Dispatcher) Heartbeat(ctx context.Context, agentID string) error {
	return d.present(ctx, agentID)
}

// present notes that a worker was heard, and makes a lost one connected again.
func (d *Dispatcher) present(ctx context.Context, agentID string) error {
	if d.hear(agentID) {
		return nil
	}
	_, err := d.changeAgent(ctx, agentID, func(a *store.Agent) error {
		switch a.State {
		case store.AgentDisconnected:
			return fmt.Errorf("worker %s has disconnected: %w", agentID, ErrWrongState)
		case store.AgentLost:
			return reconnect(a)
		case store.AgentConnected:
		}
		return errKeep
	})
	return err
}

// hear renews the lease of a worker that is connected as far as the index knows,
// and reports whether it is.
func (d *Dispatcher) hear(agentID string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.x.agents[agentID]
	if a == nil || a.record.State != store.AgentConnected {
		return false
	}
	a.seen = d.now()
	d.toSignal.agent(agentID)
	return true
}

// Ping answers a worker's ping: Disconnect if it is to leave, Pause, the job on
// offer to it or accepted and not started, the best job of its queue (assigned
// by this call), or Resume, which is the idle answer. A worker whose running job
// is not over is answered Resume. ErrNotFound, and ErrWrongState for one that
// disconnected.
func (d *Dispatcher) Ping(ctx context.Context, agentID string) (Instruction, error) {
	if err := d.present(ctx, agentID); err != nil {
		return Instruction{}, err
	}
	for range maxConflicts {
		in, c, claimed := d.answer(agentID)
		switch {
		case claimed != nil: // a job is just being written down for it
			select {
			case <-claimed:
			case <-ctx.Done():
				return Instruction{}, fmt.Errorf("answering a ping: %w", context.Cause(ctx))
			}
		case c != nil:
			if err := d.assign(ctx, c); err != nil {
				return Instruction{}, fmt.Errorf("answering a ping: %w", err)
			}
		default:
			return in, nil
		}
	}
	return Instruction{Kind: Resume}, nil // others were faster each time; there is a next ping
}

// answer is the answer to a ping as things stand, or a claim that makes one, or
// the end of a claim to wait for.
func (d *Dispatcher) answer(agentID string) (in Instruction, c *claim, claimed <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.x.agents[agentID]
	if a == nil {
		return Instruction{Kind: Resume}, nil, nil // it expired just now; the next ping says so
	}
	if in := standing(a.record); in.Kind != Resume {
		return in, nil, nil
	}
	if offers := a.offers(); len(offers) > 0 {
		return Instruction{Kind: JobAssigned, JobID: offers[0]}, nil, nil
	}
	for _, j := range a.jobs {
		j.absent(d.now()) // it runs, by the record; a worker sends no ping beside a job
	}
	if a.claim != nil {
		return Instruction{}, nil, a.claim.done
	}
	if d.closed {
		return Instruction{Kind: Resume}, nil, nil
	}
	return Instruction{Kind: Resume}, d.x.claimReady(a), nil
}

// Attach opens a worker's stream. The feed's first instruction is ready at once:
// the standing Resume, Pause or Disconnect, and then the offers. An older feed of
// the same worker ends with ErrSuperseded. The caller must Close the feed. A lost
// worker is connected again. ErrNotFound, ErrWrongState for one that
// disconnected, and ErrClosed.
func (d *Dispatcher) Attach(ctx context.Context, agentID string) (*Feed, error) {
	if err := d.present(ctx, agentID); err != nil {
		return nil, err
	}
	var feed *Feed
	err := fmt.Errorf("worker %s: %w", agentID, ErrNotFound)
	d.change(func(x *index) {
		a := x.agents[agentID]
		if d.closed {
			err = ErrClosed
		}
		if a == nil || d.closed {
			return
		}
		if a.feed != nil {
			a.feed.end(ErrSuperseded)
		}
		feed, err = newFeed(standing(a.record), a.offers(), func(f *Feed) { d.detach(agentID, f) }), nil
		d.feeds++
		feed.number = d.feeds
		a.feed, a.remote = feed, ""
		x.setIdle(a)
	})
	if err != nil {
		return nil, err
	}
	d.send(signal{Attached: agentID, Feed: feed.number})
	return feed, nil
}

// detach forgets a feed, unless a newer one has taken its place.
func (d *Dispatcher) detach(agentID string, f *Feed) {
	detached := false
	d.change(func(x *index) {
		a := x.agents[agentID]
		if a != nil && a.feed == f {
			a.feed = nil
			x.setIdle(a)
			detached = true
		}
	})
	if detached {
		d.send(signal{Detached: agentID})
	}
}
