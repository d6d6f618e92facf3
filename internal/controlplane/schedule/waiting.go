package schedule

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// WaitingReason returns why the jobs of a queue wait, for people.
func (x *Index) WaitingReason(queue string) string {
	var c workerCounts
	if q := x.queues[queue]; q != nil {
		for _, w := range q.workers {
			c.add(w)
		}
	}
	return c.reason(queue)
}

// workerCounts counts the connected workers of a queue by what keeps them from
// taking a job.
type workerCounts struct {
	connected, paused, draining, busy int
}

func (c *workerCounts) add(w *workerEntry) {
	if w.record.State != store.WorkerConnected {
		return
	}
	c.connected++
	switch {
	case w.record.Stopping || w.record.IgnoreInDispatches:
		c.draining++
	case w.record.Paused:
		c.paused++
	case len(w.jobs) > 0 || w.claim != nil:
		c.busy++
	}
}

// reason returns one line. A worker that is in no count is idle and polls: it
// will receive the job with its next ping.
func (c *workerCounts) reason(queue string) string {
	switch c.connected {
	case 0:
		return "no worker is connected in queue " + queue
	case c.paused:
		return all(c.paused, queue) + " paused"
	case c.busy:
		return all(c.busy, queue) + " busy"
	case c.draining:
		return all(c.draining, queue) + " taking no more work"
	case c.paused + c.busy + c.draining:
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

func (c *workerCounts) parts() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.busy, "busy"}, {c.paused, "paused"}, {c.draining, "taking no more work"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	return strings.Join(parts, ", ")
}
