package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Pause tells a worker, named by its id or by a name that only one connected
// worker has, to take no work. What is on offer to it goes back to the queue.
// Idempotent; a new reason replaces the old. ErrNotFound, ErrInvalid (reason, or
// an ambiguous name), and ErrWrongState for one that has left.
func (d *Dispatcher) Pause(ctx context.Context, agent, reason string) (Agent, error) {
	if err := checkReason(reason, true); err != nil {
		return Agent{}, err
	}
	return d.operate(ctx, agent, "worker paused", func(a *store.Agent) error {
		if a.Paused && a.PauseReason == reason {
			return errKeep
		}
		a.Paused, a.PauseReason = true, reason
		return nil
	})
}

// Resume lets a paused worker take work again. Idempotent. Errors as for Pause.
func (d *Dispatcher) Resume(ctx context.Context, agent string) (Agent, error) {
	return d.operate(ctx, agent, "worker resumed", func(a *store.Agent) error {
		if !a.Paused {
			return errKeep
		}
		a.Paused, a.PauseReason = false, ""
		return nil
	})
}

// Stop tells a worker to finish what it runs and to leave; with force its
// running job is cancelled, and one that it has not started goes back to the
// queue. Idempotent; force may be added later. Errors as for Pause.
func (d *Dispatcher) Stop(ctx context.Context, agent string, force bool, reason string) (Agent, error) {
	if err := checkReason(reason, false); err != nil {
		return Agent{}, err
	}
	return d.operate(ctx, agent, "worker told to leave", func(a *store.Agent) error {
		if a.Stopping && (a.StopForce || !force) {
			return errKeep
		}
		a.Stopping, a.StopForce, a.StopReason = true, a.StopForce || force, reason
		return nil
	})
}

// operate changes a worker for a person, and sees to its jobs at once.
func (d *Dispatcher) operate(ctx context.Context, ref, done string, edit func(*store.Agent) error) (Agent, error) {
	id, err := d.resolve(ref)
	if err != nil {
		return Agent{}, err
	}
	record, err := d.changeAgent(ctx, id, func(a *store.Agent) error {
		if a.State == store.AgentDisconnected {
			return fmt.Errorf("worker %s has left: %w", ref, ErrWrongState)
		}
		return edit(a)
	})
	if err != nil {
		return Agent{}, err
	}
	d.log.Info(done, zap.String("agent", id), zap.String("name", record.Name))
	d.settleAgent(ctx, id)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view(record, d.x.agents[id]), nil
}

// resolve finds the worker that a person means.
func (d *Dispatcher) resolve(ref string) (string, error) {
	if uuid.Validate(ref) == nil {
		return ref, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var ids []string
	for id, a := range d.x.agents {
		if a.record.Name == ref && a.record.State == store.AgentConnected {
			ids = append(ids, id)
		}
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("no connected worker is named %q: %w", ref, ErrNotFound)
	case 1:
		return ids[0], nil
	}
	return "", &InvalidError{"id", fmt.Sprintf("is %q, a name that %d workers have: use the id", ref, len(ids))}
}

// view adds what is seen of a worker now to its record.
func (*Dispatcher) view(record store.Agent, a *agentEntry) Agent {
	v := Agent{Agent: record}
	if a == nil {
		return v
	}
	v.Streaming = a.feed != nil || a.remote != ""
	v.LastSeenAt = a.seen
	for id, j := range a.jobs {
		if v.JobID == "" || j.state != store.JobAssigned {
			v.JobID = id
		}
	}
	return v
}

// Agents lists workers, newest first, and answers with the token of the next
// page, empty when this was the last. It reads memory only. ErrInvalid.
func (d *Dispatcher) Agents(_ context.Context, f AgentFilter, p Page) ([]Agent, string, error) {
	size, err := p.size()
	if err != nil {
		return nil, "", err
	}
	if p.Token != "" && uuid.Validate(p.Token) != nil {
		return nil, "", &InvalidError{"page_token", "is not one that a page gave"}
	}
	states := f.States
	if len(states) == 0 {
		states = []store.AgentState{store.AgentConnected}
	}
	var agents []Agent
	d.mu.Lock()
	for id, a := range d.x.agents {
		if slices.Contains(states, a.record.State) && (f.Queue == "" || f.Queue == a.record.Queue) &&
			(p.Token == "" || id < p.Token) {
			agents = append(agents, d.view(a.record, a))
		}
	}
	d.mu.Unlock()
	slices.SortFunc(agents, func(a, b Agent) int { return cmp.Compare(b.ID, a.ID) })
	if len(agents) <= size {
		return agents, "", nil
	}
	return agents[:size:size], agents[size-1].ID, nil
}
