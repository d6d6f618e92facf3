package dispatch

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// WaitingReason says why a queued job waits, in words for people; it is empty
// for every other job. It reads memory only.
func (d *Dispatcher) WaitingReason(job store.Job) string {
	if job.State != wire.StateQueued {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var c crew
	if q := d.x.queues[job.Queue]; q != nil {
		for _, a := range q.workers {
			c.count(a)
		}
	}
	return c.reason(job.Queue)
}

// crew counts the workers of a queue by what keeps them from a job.
type crew struct {
	connected, paused, leaving, busy int
}

func (c *crew) count(a *workerEntry) {
	if a.record.State != store.WorkerConnected {
		return
	}
	c.connected++
	switch {
	case a.record.Stopping || a.record.IgnoreInDispatches:
		c.leaving++
	case a.record.Paused:
		c.paused++
	case len(a.jobs) > 0 || a.claim != nil:
		c.busy++
	}
}

// reason is one line. A worker that is none of these is idle and polls: the job
// is there for its next ping.
func (c *crew) reason(queue string) string {
	switch c.connected {
	case 0:
		return "no worker is connected in queue " + queue
	case c.paused:
		return all(c.paused, queue) + " paused"
	case c.busy:
		return all(c.busy, queue) + " busy"
	case c.leaving:
		return all(c.leaving, queue) + " taking no more work"
	case c.paused + c.busy + c.leaving:
		return fmt.Sprintf("no worker in queue %s is free: %s", queue, c.parts())
	}
	return fmt.Sprintf("a worker in queue %s is free, and will be given the job when it polls", queue)
}

func all(n int, queue string) string {
	if n == 1 {
		return fmt.Sprintf("the one worker in queue %s is", queue)
	}
	return fmt.Sprintf("all %d workers in queue %s are", n, queue)
}

func (c *crew) parts() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.busy, "busy"}, {c.paused, "paused"}, {c.leaving, "taking no more work"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}
